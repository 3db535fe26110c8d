import { compareText } from '../../kernel/index.ts';
import type { Workload } from '../mesh/index.ts';
import type { LabelSelector, MutualTlsMode, PeerAuthentication, Policy } from './model.ts';
import type { PolicyWorld, WorldSettings } from './world/index.ts';

/** What is worked out once for all workloads. */
export interface PolicyIndex {
  readonly rootNamespace: string;
  /** Each namespace's policies, those that take precedence first. */
  readonly byNamespace: ReadonlyMap<string, readonly Policy[]>;
  /** The services that a workload stands behind, `<namespace>/<name>`, by the workload's id. */
  readonly servicesOf: ReadonlyMap<string, ReadonlySet<string>>;
}

export function indexPolicies({
  policies,
  services,
  settings,
}: Pick<PolicyWorld, 'policies' | 'services'> & {
  readonly settings: Pick<WorldSettings, 'rootNamespace'>;
}): PolicyIndex {
  const byNamespace = new Map<string, Policy[]>();
  for (const policy of policies.toSorted(inPrecedence)) {
    const known = byNamespace.get(policy.meta.namespace);
    if (known) known.push(policy);
    else byNamespace.set(policy.meta.namespace, [policy]);
  }
  const servicesOf = new Map<string, Set<string>>();
  for (const { id, ports } of services.values()) {
    for (const { workload } of ports.flatMap(({ endpoints }) => endpoints)) {
      if (workload === undefined) continue;
      const known = servicesOf.get(workload);
      if (known) known.add(id);
      else servicesOf.set(workload, new Set([id]));
    }
  }
  return { rootNamespace: settings.rootNamespace, byNamespace, servicesOf };
}

/**
 * The older one first, as Istio has it; its time has whole seconds, so names decide among equals. What tells no time,
 * because it comes from a file, follows what does: an object of a cluster does not change its meaning by it.
 */
function inPrecedence(a: Policy, b: Policy): number {
  const [first = Number.MAX_VALUE, second = Number.MAX_VALUE] = [a.meta.created, b.meta.created];
  return (
    first - second ||
    compareText(a.meta.name, b.meta.name) ||
    compareText(a.meta.namespace, b.meta.namespace) ||
    compareText(a.kind, b.kind)
  );
}

/**
 * Which policies hold for a workload: AuthorizationPolicies of the root namespace and then of its own;
 * RequestAuthentications of its own and then of the root namespace; and of the PeerAuthentications the one that counts
 * of each level, the workload's first, then the namespace's, then the mesh's.
 */
export function policiesOf(index: PolicyIndex, workload: Workload): readonly Policy[] {
  const root = index.byNamespace.get(index.rootNamespace) ?? [];
  const own =
    workload.namespace === index.rootNamespace ? [] : (index.byNamespace.get(workload.namespace) ?? []);
  const holding = (policies: readonly Policy[]) =>
    policies.filter((policy) => appliesTo(policy, workload, index));
  const [ofRoot, ofOwn] = [holding(root), holding(own)];
  return [
    ...ofKind([...ofRoot, ...ofOwn], 'AuthorizationPolicy'),
    ...ofKind([...ofOwn, ...ofRoot], 'RequestAuthentication'),
    ...oneOfEachLevel(ofKind(ofRoot, 'PeerAuthentication'), ofKind(ofOwn, 'PeerAuthentication')),
  ];
}

function ofKind<K extends Policy['kind']>(
  policies: readonly Policy[],
  kind: K,
): readonly Extract<Policy, { kind: K }>[] {
  return policies.filter((policy): policy is Extract<Policy, { kind: K }> => policy.kind === kind);
}

function oneOfEachLevel(
  root: readonly PeerAuthentication[],
  own: readonly PeerAuthentication[],
): readonly PeerAuthentication[] {
  return [
    own.find(({ selector }) => selector !== undefined),
    own.find(({ selector }) => selector === undefined),
    // appliesTo leaves out what has a selector here.
    root[0],
  ].filter((policy) => policy !== undefined);
}

/**
 * Which of several PeerAuthentications of one level comes before which, where there are several: it hangs on when they
 * were made, which nothing else of a policy's content does.
 */
export function precedence(policies: readonly Policy[]): readonly (readonly string[])[] {
  const levels = new Map<string, string[]>();
  for (const { meta, selector } of ofKind(policies.toSorted(inPrecedence), 'PeerAuthentication')) {
    const level = `${meta.namespace} ${selector === undefined}`;
    levels.set(level, [...(levels.get(level) ?? []), `${meta.namespace}/${meta.name}`]);
  }
  return [...levels.values()]
    .filter((names) => names.length > 1)
    .toSorted(([a = ''], [b = '']) => compareText(a, b));
}

/** Whether a policy holds for a workload, before anything takes precedence over it. */
export function appliesTo(policy: Policy, workload: Workload, index: PolicyIndex): boolean {
  const { kind, meta, selector } = policy;
  const isRoot = meta.namespace === index.rootNamespace;
  // The root namespace's own workloads have no level of their own: there a selector has no meaning.
  if (kind === 'PeerAuthentication' && isRoot && selector !== undefined) return false;
  if (kind !== 'PeerAuthentication' && policy.targetRefs.length > 0) {
    const services = index.servicesOf.get(workload.id);
    return policy.targetRefs.some(
      (target) => target.kind === 'Service' && services?.has(`${meta.namespace}/${target.name}`) === true,
    );
  }
  return (isRoot || meta.namespace === workload.namespace) && isSelected(selector, workload.labels);
}

function isSelected(selector: LabelSelector | undefined, labels: LabelSelector): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}

/** How a port takes connections, and what says so. */
export interface PortMode {
  readonly mode: Exclude<MutualTlsMode, 'UNSET'>;
  /** Undefined where no policy says anything, which is PERMISSIVE. */
  readonly policy: PeerAuthentication | undefined;
  /** Whether the policy says it of this port alone. */
  readonly ofPort: boolean;
}

/**
 * How a workload's port takes connections: by the port's own mode, else the workload's, the namespace's, the mesh's,
 * each of which may leave it UNSET to the next one.
 * @param applying as policiesOf gives it
 */
export function portModeOf(applying: readonly Policy[], port: number): PortMode {
  const levels = ofKind(applying, 'PeerAuthentication');
  const own = levels.find(({ selector }) => selector !== undefined);
  const candidates = [
    ...(own ? [{ mode: own.portLevel.get(port), policy: own, ofPort: true }] : []),
    ...levels.map((policy) => ({ mode: policy.mode, policy, ofPort: false })),
  ];
  for (const { mode, ...by } of candidates)
    if (mode !== undefined && mode !== 'UNSET') return { mode, ...by };
  return { mode: 'PERMISSIVE', policy: undefined, ofPort: false };
}

export function mutualTlsModeOf(applying: readonly Policy[], port: number): PortMode['mode'] {
  return portModeOf(applying, port).mode;
}

/**
 * What an operator made strict takes mutual TLS alone where policies would let both in. DISABLE stays: its callers speak
 * plaintext there by the same policy, and would all be refused.
 */
export function enforcedMode(mode: PortMode['mode'], strict: boolean): PortMode['mode'] {
  return strict && mode === 'PERMISSIVE' ? 'STRICT' : mode;
}
