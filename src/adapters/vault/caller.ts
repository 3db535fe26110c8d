import nodeVault from 'node-vault';
import { CitadelError, type Secret } from '../../kernel/index.ts';
import {
  type FailedReply,
  isConnectionReset,
  replyError,
  replyErrors,
  transportError,
  type VaultPermission,
} from './errors.ts';
import { Json } from './json.ts';
import { createTransport, type TransportRequest } from './transport.ts';

export interface VaultCall {
  readonly method: 'GET' | 'LIST' | 'POST' | 'DELETE';
  /** Below /v1/, made of checked parts. */
  readonly path: string;
  readonly body?: object;
  /** Named in the details of a refusal. */
  readonly permission: VaultPermission;
  /** Whether doing it twice is as good as once: then a call whose connection broke is sent once more. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal;
}

/** One call with a given token, without any session. */
export interface VaultCaller {
  /** @returns the answer; undefined when what was asked for does not exist. @throws CitadelError, see errors.ts */
  call(call: VaultCall, token?: Secret<string>, timeout?: number): Promise<Json | undefined>;
  close(): void;
}

export interface VaultCallerOptions {
  readonly address: URL;
  readonly namespace?: string;
  /** PEM */
  readonly ca?: string;
  /** Milliseconds */
  readonly timeout: number;
}

/** Calls under way and waiting for a connection; more are refused at once, before they fill the memory. */
const mostCalls = 512;

/** Calls Vault through node-vault. */
export function createVaultCaller(options: VaultCallerOptions): VaultCaller {
  const transport = createTransport(options.ca);
  const client = nodeVault({
    endpoint: options.address.href.replace(/\/$/, ''),
    // node-vault prints requests, with what is in them, when DEBUG is set.
    debug: () => undefined,
    'request-promise': { defaults: () => (request: TransportRequest) => transport.send(request) },
  });
  // What its constructor may have taken from VAULT_TOKEN, VAULT_PREFIX and VAULT_NAMESPACE is not ours.
  Object.assign(client, { token: '', pathPrefix: '', namespace: options.namespace ?? '' });
  let underWay = 0;

  async function attempt(
    call: VaultCall,
    token: Secret<string> | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { method, path, body } = call;
    const more = { signal, headers: token ? { 'X-Vault-Token': token.reveal() } : {} };
    if (method === 'GET') return await client.read(path, more);
    if (method === 'LIST') return await client.list(path, more);
    if (method === 'DELETE') return await client.delete(path, more);
    return await client.write(path, body ?? {}, more);
  }

  return {
    async call(call, token, timeout = options.timeout) {
      if (underWay >= mostCalls) {
        throw new CitadelError('ResourceExhausted', 'too many calls to Vault are waiting; try again later');
      }
      underWay += 1;
      const signal = AbortSignal.any([AbortSignal.timeout(timeout), ...(call.signal ? [call.signal] : [])]);
      try {
        try {
          return new Json(await attempt(call, token, signal));
        } catch (error) {
          if (!call.repeatable || !isConnectionReset(error) || signal.aborted) throw error;
          return new Json(await attempt(call, token, signal));
        }
      } catch (error) {
        const reply = failedReply(error);
        if (!reply) throw transportError(error, call.permission.path);
        if (reply.statusCode === 404 && replyErrors(reply) === '') return undefined;
        throw replyError(reply, call.permission);
      } finally {
        underWay -= 1;
      }
    },
    close: () => transport.close(),
  };
}

/** The answer within node-vault's ApiResponseError. */
function failedReply(error: unknown): FailedReply | undefined {
  if (!(error instanceof Error) || !('response' in error)) return undefined;
  const { response } = error;
  if (typeof response !== 'object' || response === null) return undefined;
  const statusCode = new Json(response).get('statusCode').number();
  return statusCode === undefined
    ? undefined
    : { statusCode, body: 'body' in response ? response.body : undefined };
}
