import type { Claims, PolicyRequest } from '../../src/domain/policy/index.ts';
import { type Call, type Connection, words } from './generate/index.ts';

/** A generated call as the callee's proxy sees it. @param tokens those that calls name by their number */
export function policyRequest(made: Call, tokens: readonly { readonly claims: Claims }[]): PolicyRequest {
  const { connection, clientIp, token } = made;
  const headers: Record<string, string[]> = {};
  for (const [name, value] of made.headers) headers[name] = [...(headers[name] ?? []), value];
  const jwt = token === undefined ? undefined : tokens[token]?.claims;
  const issuer = jwt?.['iss'];
  return {
    http: { method: made.method, path: made.path, host: made.host, headers },
    sourcePrincipal: connection.identity,
    sourceIp: connection.sourceIp,
    remoteIp: clientIp ?? connection.sourceIp,
    destinationIp: connection.destinationIp,
    destinationPort: connection.port,
    sni: connection.sni,
    jwt,
    spaceDelimitedClaims: typeof issuer === 'string' ? words.spaceDelimited[issuer] : undefined,
    metadata: { [words.metadataFilter]: made.metadata },
  };
}

/** The same of a connection that nobody reads as HTTP. */
export function connectionRequest(connection: Connection): PolicyRequest {
  return {
    sourcePrincipal: connection.identity,
    sourceIp: connection.sourceIp,
    remoteIp: connection.sourceIp,
    destinationIp: connection.destinationIp,
    destinationPort: connection.port,
    sni: connection.sni,
  };
}
