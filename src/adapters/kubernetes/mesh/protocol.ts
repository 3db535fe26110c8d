import type { AppProtocol } from '../../../domain/mesh/index.ts';

/** What a port carries, and whether somebody said so. */
export interface PortProtocol {
  readonly protocol: AppProtocol;
  readonly declared: boolean;
}

/**
 * Istio's protocol selection (istio.io, "Protocol Selection"), and the values that Kubernetes itself defines for
 * appProtocol. What is encrypted by the applications themselves is `tcp` to a proxy, and so are the databases that
 * Istio knows by name.
 */
const protocols: ReadonlyMap<string, AppProtocol> = new Map([
  ['http', 'http'],
  ['http2', 'http2'],
  ['grpc', 'http2'],
  ['grpc-web', 'http2'],
  ['kubernetes.io/h2c', 'http2'],
  ['kubernetes.io/ws', 'http'],
  ['https', 'tcp'],
  ['tls', 'tcp'],
  ['tcp', 'tcp'],
  ['mongo', 'tcp'],
  ['mysql', 'tcp'],
  ['redis', 'tcp'],
  ['kubernetes.io/wss', 'tcp'],
]);

/**
 * By `appProtocol`, which goes first, then by the port's name: `<protocol>` or `<protocol>-<anything>`. Where neither
 * says anything it is `tcp`: nothing is sniffed here, so that what a policy means never hangs on the first bytes.
 */
export function protocolOf(name: string, appProtocol?: string): PortProtocol {
  const prefix = /^grpc-web(?:-|$)/i.test(name) ? 'grpc-web' : name.split('-', 1)[0];
  const known = protocols.get(appProtocol?.toLowerCase() ?? '') ?? protocols.get(prefix?.toLowerCase() ?? '');
  return { protocol: known ?? 'tcp', declared: known !== undefined };
}
