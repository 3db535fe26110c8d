import { once, sameMembers } from '../../kernel/index.ts';
import { type Policy, policyHash, policyKeyOf } from '../policy/index.ts';
import type { MeshContent } from '../ports/index.ts';
import { contentHash } from './content-hash.ts';
import type { Endpoint, Service, ServicePort, ShadowedObject, Workload } from './model.ts';
import { inOrder } from './read/index.ts';

/** A workload's or a service's hash, worked out once for each object. */
export const hashOf = once<object, string>(contentHash);

export interface MergedContent {
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly services: ReadonlyMap<string, Service>;
  /** By `<kind>/<namespace>/<name>`. */
  readonly policies: ReadonlyMap<string, Policy>;
  readonly shadowed: readonly ShadowedObject[];
}

/**
 * What all sources say together, those first that are trusted more. Of a policy that two of them name the first one's
 * counts, and so it is with workloads: nobody can take away what a more trusted source says by giving something the same
 * name. A service of several clusters is one service: the first declares it, and all give endpoints and further ports.
 */
export function mergeContents(contents: readonly MeshContent[]): MergedContent {
  const shadowed: ShadowedObject[] = [];
  const workloads = first(
    contents,
    (content) => content.workloads,
    ({ id }) => id,
    (id, earlier, later) => {
      if (hashOf(earlier.value) !== hashOf(later.value))
        shadowed.push({ object: `Workload/${id}`, from: later.from, by: earlier.from });
    },
  );
  const policies = first(
    contents,
    (content) => content.policies,
    policyKeyOf,
    (key, earlier, later) => {
      if (policyHash(earlier.value) === policyHash(later.value)) return;
      const { origin } = later.value.meta;
      const named = { origin, counting: earlier.value.meta.origin };
      shadowed.push({ object: key, from: later.from, by: earlier.from, policy: named });
    },
  );
  const declarations = new Map<string, Declared<Service>[]>();
  for (const [from, { services }] of contents.entries())
    for (const value of services) {
      const known = declarations.get(value.id);
      if (known) known.push({ value, from });
      else declarations.set(value.id, [{ value, from }]);
    }
  const services = new Map<string, Service>();
  for (const [id, all] of declarations) {
    const { service, conflicts } = mergeServices(all);
    services.set(id, service);
    for (const { at, what } of conflicts)
      shadowed.push({ object: `Service/${id}`, from: all[at]?.from ?? 0, by: all[0]?.from ?? 0, what });
  }
  return {
    workloads: new Map([...workloads].map(([id, { value }]) => [id, value])),
    services,
    policies: new Map([...policies].map(([key, { value }]) => [key, value])),
    shadowed,
  };
}

interface Declared<T> {
  readonly value: T;
  /** Which of the contents says so. */
  readonly from: number;
}

function first<T>(
  contents: readonly MeshContent[],
  of: (content: MeshContent) => readonly T[],
  idOf: (value: T) => string,
  twice: (id: string, earlier: Declared<T>, later: Declared<T>) => void,
): ReadonlyMap<string, Declared<T>> {
  const found = new Map<string, Declared<T>>();
  for (const [from, content] of contents.entries())
    for (const value of of(content)) {
      const id = idOf(value);
      const earlier = found.get(id);
      if (earlier) twice(id, earlier, { value, from });
      else found.set(id, { value, from });
    }
  return found;
}

interface MergedService {
  readonly service: Service;
  /** What of a later declaration does not count, each with that declaration's place. */
  readonly conflicts: readonly { readonly at: number; readonly what: string }[];
}

/** By the first declaration, so that the same declarations make the same object. */
const mergedBefore = new WeakMap<
  Service,
  { readonly all: readonly Service[]; readonly merged: MergedService }
>();

function mergeServices(declared: readonly Declared<Service>[]): MergedService {
  const all = declared.map(({ value }) => value);
  const [own, ...others] = all;
  if (own === undefined) throw new Error('nobody declares the service');
  if (others.length === 0) return { service: own, conflicts: [] };
  const before = mergedBefore.get(own);
  if (before && sameMembers(before.all, all)) return before.merged;
  const conflicts: { at: number; what: string }[] = [];
  const ports = new Map<number, ServicePort>(own.ports.map((port) => [port.port, port]));
  for (const [index, { ports: more }] of others.entries()) {
    for (const port of more) {
      const known = ports.get(port.port);
      if (known === undefined) {
        ports.set(port.port, port);
        continue;
      }
      // Its endpoints speak another protocol than callers would speak with them.
      if (known.protocol !== port.protocol) {
        const what = `port ${port.port} is ${port.protocol}, and not ${known.protocol}`;
        conflicts.push({ at: index + 1, what });
        continue;
      }
      const { endpoints, taken } = union(known.endpoints, port.endpoints);
      ports.set(port.port, { ...known, endpoints });
      const [address] = taken;
      if (address !== undefined)
        conflicts.push({ at: index + 1, what: `its endpoint ${address} is another workload’s address` });
    }
  }
  const merged = { service: { ...own, ports: [...ports.values()] }, conflicts };
  mergedBefore.set(own, { all, merged });
  return merged;
}

/** Each address and port once: where two clusters use the same, nobody could say which workload answers there. */
function union(
  own: readonly Endpoint[],
  more: readonly Endpoint[],
): { readonly endpoints: readonly Endpoint[]; readonly taken: readonly string[] } {
  const textOf = ({ address, port }: Endpoint) => `${address} port ${port}`;
  const known = new Map(own.map((endpoint) => [textOf(endpoint), endpoint]));
  const taken: string[] = [];
  for (const endpoint of more) {
    const key = textOf(endpoint);
    const there = known.get(key);
    if (there === undefined) known.set(key, endpoint);
    else if (there.workload !== endpoint.workload) taken.push(key);
  }
  return { endpoints: inOrder([...known.values()]), taken };
}
