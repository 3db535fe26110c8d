import { field, items, pick, text, texts } from '../api/index.ts';
import type { Reading } from './informer.ts';
import { type PortProtocol, protocolOf } from './protocol.ts';

/** What the mesh needs of a Service (core/v1). */
export interface ServiceRecord {
  readonly namespace: string;
  readonly name: string;
  /** None for a headless service. */
  readonly addresses: readonly string[];
  readonly family: 'IPv4' | 'IPv6';
  readonly ports: readonly ({ readonly port: number; readonly name: string } & PortProtocol)[];
}

/** ExternalName services are none: they are names for what is elsewhere. So are those without a TCP port. */
export function readService(object: unknown): Reading<ServiceRecord> {
  const namespace = text(object, 'metadata', 'namespace');
  const name = text(object, 'metadata', 'name');
  if (namespace === undefined || name === undefined) return { problems: ['has no name'] };
  if (text(object, 'spec', 'type') === 'ExternalName') return { problems: [] };
  const ports = items(object, 'spec', 'ports').flatMap((each) => readPort(each) ?? []);
  if (ports.length === 0) return { problems: [] };
  const single = text(object, 'spec', 'clusterIP') ?? '';
  const addresses = (texts(object, 'spec', 'clusterIPs') ?? [single]).filter(
    (address) => address !== '' && address !== 'None',
  );
  const family = texts(object, 'spec', 'ipFamilies')?.[0] === 'IPv6' ? 'IPv6' : 'IPv4';
  return { value: { namespace, name, addresses, family, ports }, problems: [] };
}

/** What readService needs. */
export function slimService(object: unknown): unknown {
  return {
    metadata: pick(field(object, 'metadata'), 'namespace', 'name'),
    spec: {
      ...pick(field(object, 'spec'), 'type', 'clusterIP', 'clusterIPs', 'ipFamilies'),
      ports: items(object, 'spec', 'ports').map((each) =>
        pick(each, 'port', 'name', 'protocol', 'appProtocol'),
      ),
    },
  };
}

function readPort(object: unknown): ServiceRecord['ports'][number] | undefined {
  const port = field(object, 'port');
  if (typeof port !== 'number' || (text(object, 'protocol') ?? 'TCP') !== 'TCP') return undefined;
  const name = text(object, 'name') ?? '';
  return { port, name, ...protocolOf(name, text(object, 'appProtocol')) };
}

/** The longest first, as certificates and policies write it. The bare name is left out: each namespace has its own. */
export function hostsOf({ namespace, name }: ServiceRecord, clusterDomain: string): readonly string[] {
  return [`${name}.${namespace}.svc.${clusterDomain}`, `${name}.${namespace}.svc`, `${name}.${namespace}`];
}
