import type { Difference, RegionAttribute } from '../../../src/domain/policy/exact/index.ts';
import type { PolicyRequest } from '../../../src/domain/policy/index.ts';
import { words } from '../../oracle/generate/index.ts';

const isOurs = (address: string) => address.startsWith('127.') || address === '::1';

/** The witness as it can be sent from here; undefined where what it hangs on cannot be had on this machine. */
export function sendable({ region, witness, protocol }: Difference): PolicyRequest | undefined {
  const constrained = new Set(region.constraints.map(({ attribute }) => attribute.kind));
  const { request } = witness;
  const { http, sourcePrincipal, sni, destinationPort, jwt } = request;
  const sourceIp = addressFor('sourceIp', request, constrained);
  const destinationIp = addressFor('destinationIp', request, constrained) ?? '';
  if (sourceIp === undefined || !isOurs(destinationIp)) return undefined;
  if (destinationIp.includes(':') !== sourceIp.includes(':')) return undefined;
  // A connection that is not HTTP says by its destination which policies it is for, and is forwarded by nobody.
  if (protocol === 'tcp' && (constrained.has('destinationIp') || sourceIp.includes(':'))) return undefined;
  const remoteIp = constrained.has('remoteIp') ? request.remoteIp : sourceIp;
  if (protocol === 'tcp' && remoteIp !== sourceIp) return undefined;
  const filters = Object.keys(request.metadata ?? {});
  if (protocol === 'tcp' && filters.length > 0) return undefined;
  if (filters.some((filter) => filter !== words.metadataFilter)) return undefined;
  const providers = [...Object.entries(witness.providers), ...Object.entries(witness.ofConnection ?? {})];
  if (providers.some(([name, verdict]) => verdictOf(name) !== verdict)) return undefined;
  // What only HTTP/1.1 can say, and what only HTTP/2 can.
  if (http && needsHttp2(http.method) && /^$|[@,]/.test(http.host)) return undefined;
  return {
    ...(http ? { http } : {}),
    sourcePrincipal,
    sourceIp,
    remoteIp,
    destinationIp,
    destinationPort,
    sni: constrained.has('sni') ? sni : undefined,
    jwt,
    metadata: request.metadata,
  };
}

const knownMethods = new Set(words.methods);

/** By HTTP/1.1 Envoy takes the methods that it knows, and no others. */
export function needsHttp2(method: string): boolean {
  return !knownMethods.has(method);
}

function verdictOf(provider: string): string | undefined {
  return new Map<string, string>(Object.entries(words.providers)).get(provider);
}

function addressFor(
  which: 'sourceIp' | 'destinationIp',
  request: PolicyRequest,
  constrained: ReadonlySet<RegionAttribute['kind']>,
): string | undefined {
  if (constrained.has(which)) return isOurs(request[which]) ? request[which] : undefined;
  const other = which === 'sourceIp' ? 'destinationIp' : 'sourceIp';
  return constrained.has(other) && request[other].includes(':') ? '::1' : '127.0.0.1';
}
