import { CitadelError } from '../../../../kernel/index.ts';
import type { Workload } from '../../../mesh/index.ts';
import type { PolicyWorld } from '../../world/index.ts';

/** One port of one workload: what policies hold for, and what they compare. */
export interface Callee {
  readonly workload: Workload;
  /** The workload's own, which a service's may not be. */
  readonly port: number;
  /** By which services it was found; none where it was named itself. */
  readonly services: readonly string[];
}

/** A callee as somebody may write it: `NAME[:PORT]`. */
interface Named {
  readonly name: string;
  readonly port: number | undefined;
}

/**
 * Whom a name means: a workload (`<cluster>/<namespace>/<name>`, `<namespace>/<name>`), a service (`<namespace>/<name>`, one
 * of its hosts), or either by its bare name where there is one namespace with it. The port may be left out where there
 * is one alone.
 * @throws CitadelError NotFound for nobody; OutOfRange where it could be several, naming them
 */
export function calleesOf(world: PolicyWorld, text: string): readonly Callee[] {
  const named = read(text);
  const found = [...ofServices(world, named), ...ofWorkloads(world, named)];
  if (found.length === 0) throw unknownCallee(world, named);
  const namespaces = [...new Set(found.map(({ namespace }) => namespace))].toSorted();
  if (namespaces.length > 1)
    throw new CitadelError(
      'OutOfRange',
      `${named.name} is in several namespaces; name one: ${namespaces.map((each) => `${each}/${named.name}`).join(', ')}`,
    );
  const ofService = found.filter(({ service }) => service !== undefined);
  const asked = named.port ?? onlyPort(named, ofService.length > 0 ? ofService : found);
  // A service's port comes first: that is what callers write.
  const matching = found.filter((each) => each.port === asked);
  const viaService = matching.filter(({ service }) => service !== undefined);
  const chosen = viaService.length > 0 ? viaService : matching;
  const callees = merged(chosen.flatMap(({ callees: own }) => own));
  if (callees.length > 0) return callees;
  const open = captured(found, asked);
  if (open.length > 0) return open;
  const known = portsOf(found);
  throw new CitadelError(
    'NotFound',
    matching.length > 0
      ? `no workload stands behind ${named.name}:${asked}, so that no policy holds there`
      : `${named.name} has no port ${asked}; it has ${known.join(', ') || 'none'}`,
  );
}

function onlyPort({ name }: Named, found: readonly Found[]): number {
  const known = portsOf(found);
  const [only, ...more] = known;
  if (only !== undefined && more.length === 0) return only;
  throw new CitadelError(
    'OutOfRange',
    only === undefined
      ? `${name} declares no port; name one: ${name}:PORT`
      : `${name} has several ports; name one: ${known.map((each) => `${name}:${each}`).join(', ')}`,
  );
}

function portsOf(found: readonly Found[]): readonly number[] {
  return [...new Set(found.flatMap(({ port }) => port ?? []))].toSorted((a, b) => a - b);
}

interface Found {
  readonly namespace: string;
  /** As callers name it; undefined of a workload that declares none. */
  readonly port: number | undefined;
  readonly service: string | undefined;
  readonly callees: readonly Callee[];
  readonly workload?: Workload;
}

function read(text: string): Named {
  const [, name = text, port] = /^(.*):([^:/]*)$/.exec(text) ?? [];
  if (name === '' || (port !== undefined && !isPort(port)))
    throw new CitadelError(
      'OutOfRange',
      `${JSON.stringify(text)} names no callee; write it as shop/orders, or with a port from 1 to 65535 as shop/orders:8080`,
    );
  return { name, port: port === undefined ? undefined : Number(port) };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function ofServices({ services, workloads }: PolicyWorld, { name }: Named): readonly Found[] {
  return [...services.values()]
    .filter((service) => [service.id, service.name, ...service.hosts].includes(name))
    .flatMap((service) =>
      service.ports.map(
        (port): Found => ({
          namespace: service.namespace,
          port: port.port,
          service: service.id,
          callees: port.endpoints.flatMap((endpoint) => {
            const workload = endpoint.workload === undefined ? undefined : workloads.get(endpoint.workload);
            return workload ? [{ workload, port: endpoint.port, services: [service.id] }] : [];
          }),
        }),
      ),
    );
}

function ofWorkloads({ workloads }: PolicyWorld, { name }: Named): readonly Found[] {
  const named = [...workloads.values()].filter((workload) =>
    [workload.id, workload.name, `${workload.namespace}/${workload.name}`].includes(name),
  );
  return named.flatMap((workload): readonly Found[] => {
    const { namespace, ports } = workload;
    const own = { namespace, service: undefined, workload };
    if (ports.length === 0) return [{ ...own, port: undefined, callees: [] }];
    return ports.map(({ port }) => ({ ...own, port, callees: [{ workload, port, services: [] }] }));
  });
}

/** Where connections are captured, a port that nobody declares is judged too. */
function captured(found: readonly Found[], port: number): readonly Callee[] {
  const workloads = new Set(found.flatMap(({ workload }) => workload ?? []));
  return [...workloads]
    .filter(({ proxy }) => proxy === 'capture')
    .map((workload) => ({ workload, port, services: [] }));
}

function merged(callees: readonly Callee[]): readonly Callee[] {
  const byPlace = new Map<string, Callee>();
  for (const callee of callees) {
    const key = `${callee.workload.id}:${callee.port}`;
    const before = byPlace.get(key);
    byPlace.set(key, {
      ...callee,
      services: [...new Set([...(before?.services ?? []), ...callee.services])],
    });
  }
  return [...byPlace.values()];
}

function unknownCallee({ workloads, services }: PolicyWorld, { name }: Named): CitadelError {
  const last = name.split('/').at(-1) ?? name;
  const known = new Set([
    ...services.keys(),
    ...[...workloads.values()].map((each) => `${each.namespace}/${each.name}`),
  ]);
  const alike = [...known].filter((each) => each.split('/').at(-1)?.includes(last) === true);
  const shown = (alike.length > 0 ? alike : [...known].toSorted()).slice(0, 10);
  const hint =
    shown.length > 0
      ? `there is ${shown.join(', ')}${alike.length === 0 && known.size > shown.length ? `, ${known.size} in all` : ''}`
      : 'there is nobody at all: no workload is registered';
  return new CitadelError('NotFound', `there is no workload and no service ${name}; ${hint}`);
}
