import { CitadelError, type ErrorCode } from '../../kernel/index.ts';
import { Json } from './json.ts';
import { ResponseTooLarge } from './transport.ts';

/** What a policy must grant for a call to succeed. */
export interface VaultPermission {
  /** As a policy writes it: `transit/sign/citadel-*`. */
  readonly path: string;
  readonly capabilities: readonly string[];
}

export function policyText({ path, capabilities }: VaultPermission): string {
  return `path "${path}" { capabilities = [${capabilities.map((each) => `"${each}"`).join(', ')}] }`;
}

export interface FailedReply {
  readonly statusCode: number;
  readonly body: unknown;
}

const longestDetails = 500;

/** OpenSSL's names of what is wrong with a certificate, as Node tells them (X509_V_ERR_*), and Node's of a wrong name. */
const certificateCodes =
  /^(UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|(DEPTH_ZERO_)?SELF_SIGNED_CERT|CERT_|INVALID_CA|ERR_TLS_CERT)/;

/** What Vault said was wrong, shortened. */
export function replyErrors(reply: FailedReply): string {
  return new Json(reply.body).get('errors').texts().join('; ').slice(0, longestDetails);
}

/** A status of 400 or above (or a redirect) as our error. Vault's own words go into the details alone. */
export function replyError(reply: FailedReply, permission: VaultPermission): CitadelError {
  const { statusCode } = reply;
  const said = replyErrors(reply);
  const details = `Vault answered ${statusCode} on ${permission.path}${said === '' ? '' : `: ${said}`}`;
  const make = (code: ErrorCode, message: string, more = '') =>
    new CitadelError(code, message, { details: details + more });
  if (statusCode === 403) {
    return make(
      'PermissionDenied',
      'Vault refuses; the policy of our token must grant this call',
      `; grant ${policyText(permission)}`,
    );
  }
  if (statusCode === 503) return make('Unavailable', 'Vault is sealed or in maintenance; unseal it');
  if (statusCode === 429) return make('ResourceExhausted', 'Vault limits our rate; try again later');
  if (statusCode >= 300 && statusCode < 400) {
    return make('Unavailable', 'Vault answered with a redirect; configure the address of the active node');
  }
  if (statusCode === 404)
    return make('FailedPrecondition', 'Vault has no such path; is the secrets engine mounted?');
  if (statusCode >= 500 || statusCode === 412)
    return make('Unavailable', 'Vault cannot answer now; try again later');
  return make('FailedPrecondition', 'Vault refuses the request as it is');
}

/** What kept a call from being answered as our error: no connection, no time, no end of the answer. */
export function transportError(error: unknown, path: string): CitadelError {
  if (error instanceof CitadelError) return error;
  if (error instanceof ResponseTooLarge) {
    return new CitadelError('Unavailable', 'Vault answered more than is accepted', { details: `on ${path}` });
  }
  const code = errorCode(error);
  return new CitadelError(
    'Unavailable',
    whatFailed(error, code),
    // No cause: whatever it holds of the request, it would hold our token.
    { details: `${code ?? (error instanceof Error ? error.name : 'unknown error')} on ${path}` },
  );
}

function whatFailed(error: unknown, code = ''): string {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return 'Vault does not answer in time';
  if (certificateCodes.test(code)) return 'Vault’s certificate is not trusted; check caFile and the address';
  return 'Vault cannot be reached';
}

/** Whether the connection broke under a call, as an idle one that the server has just closed does. */
export function isConnectionReset(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(errorCode(error) ?? '');
}

function errorCode(error: unknown): string | undefined {
  return new Json(error).get('code').text();
}
