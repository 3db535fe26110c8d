import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { SecureContext } from 'node:tls';
import { CitadelError, readAtMost, systemErrorCode } from '../../kernel/index.ts';
import type { AddressPolicy } from './addresses.ts';
import { faultOfUrl, type HostPolicy } from './allow-list.ts';
import { permittedAddresses, pinned, type Resolve } from './resolve.ts';

// Not by import: that reads every export of node:http, and so loads its WebSocket, some 5 MiB.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

export interface GetOptions extends HostPolicy, AddressPolicy {
  /** Undefined: the authorities that the process trusts. */
  readonly secureContext: SecureContext | undefined;
  readonly resolve: Resolve;
}

const largestAnswer = 256 * 1024;

/**
 * The body at an address, within what the operator allows, by a connection of its own.
 * @throws CitadelError with nothing of the answer but its status
 */
export async function getBounded(address: string, options: GetOptions, signal: AbortSignal): Promise<string> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url) throw new CitadelError('InvalidArgument', 'the address is no URL');
  const fault = faultOfUrl(url, options);
  if (fault !== undefined) throw new CitadelError('PermissionDenied', fault);
  try {
    return await withinSignal(get(url, options, signal), signal);
  } catch (error) {
    throw describeFailure(error);
  }
}

async function get(url: URL, options: GetOptions, signal: AbortSignal): Promise<string> {
  const addresses = await permittedAddresses(url.hostname, options, options.resolve);
  signal.throwIfAborted();
  const response = await send(url, addresses, options, signal);
  const { statusCode = 0, headers } = response;
  const fault =
    statusCode >= 300 && statusCode < 400
      ? 'it redirects elsewhere, which is not followed: name where the keys are'
      : statusCode === 200
        ? undefined
        : `it answers with status ${statusCode}`;
  const encoding = headers['content-encoding'] ?? 'identity';
  if (fault !== undefined || encoding !== 'identity') {
    response.destroy();
    throw new CitadelError('FailedPrecondition', fault ?? 'it answers compressed, though asked not to');
  }
  const body = await readAtMost(response, largestAnswer);
  if (!body) throw new CitadelError('ResourceExhausted', `its answer is larger than ${largestAnswer} bytes`);
  return body.toString('utf8');
}

function send(
  url: URL,
  addresses: readonly string[],
  { secureContext }: GetOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // No pool: a connection in one might be to an address that is not permitted any more.
    const options = {
      method: 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      lookup: pinned(addresses),
      maxHeaderSize: 16_384,
      signal,
    };
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, {
            ...options,
            agent: new HttpsAgent({ maxCachedSessions: 0 }),
            minVersion: 'TLSv1.2',
            rejectUnauthorized: true,
            ...(secureContext ? { secureContext } : {}),
          })
        : httpRequest(url, { ...options, agent: new HttpAgent() });
    request.once('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

/** What cannot be cut off itself, as a look-up in the DNS, is not waited for. */
function withinSignal<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = rejectable<T>();
  const onAbort = () => reject(new CitadelError('DeadlineExceeded', 'there was no whole answer in time'));
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([task, promise]).finally(() => signal.removeEventListener('abort', onAbort));
}

function rejectable<T>(): { promise: Promise<T>; reject: (error: unknown) => void } {
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((_resolve, refuse) => {
    reject = refuse;
  });
  return { promise, reject };
}

const certificateFaults = /CERT|ERR_TLS|SELF_SIGNED|ISSUER|SIGNATURE/;

/** In words for an operator; whatever else the failure says goes to the log alone. */
function describeFailure(error: unknown): CitadelError {
  if (error instanceof CitadelError) return error;
  const code = systemErrorCode(error) ?? '';
  if (code === 'ABORT_ERR')
    return new CitadelError('DeadlineExceeded', 'there was no whole answer in time', { cause: error });
  if (certificateFaults.test(code))
    return new CitadelError('Unavailable', `its certificate is not trusted (${code}); see mesh.jwks.caFile`, {
      cause: error,
    });
  const what = code === 'ENOTFOUND' ? 'its name is not known' : 'it cannot be reached';
  return new CitadelError('Unavailable', `${what}${code === '' ? '' : ` (${code})`}`, { cause: error });
}
