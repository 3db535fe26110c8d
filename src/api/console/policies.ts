import { type PolicyStatus, sourceProblems } from '../../domain/mesh/index.ts';
import type { OperatorCaller } from '../../domain/operators/index.ts';
import {
  formatPolicies,
  formatPolicyObject,
  isStoredOrigin,
  type LintWarning,
  type Policy,
  type PolicyChangeRequest,
  type PolicyPlan,
  type PolicyProblem,
  type PolicyService,
  type PolicyWorld,
  policyIdentity,
  policyKey,
  policyKeyOf,
  policyObject,
  readPolicies,
} from '../../domain/policy/index.ts';
import type { MeshSourceState, StoredPolicy } from '../../domain/ports/index.ts';
import { CitadelError, compareText } from '../../kernel/index.ts';
import type * as wire from '../../wire/console.ts';
import { needsControlPlane } from '../needs-control-plane.ts';
import { checkedReason } from '../reason.ts';
import { changeOf, source } from './change.ts';

export interface ConsolePolicyServices {
  /** Absent where this server has no control plane. */
  readonly policies: PolicyService | undefined;
  readonly policyStatus: () => readonly PolicyStatus[];
  readonly policyWarnings: () => readonly LintWarning[];
  readonly meshSources: () => readonly MeshSourceState[];
  /** What holds now; undefined where it is not known yet. */
  readonly policyWorld: () => PolicyWorld | undefined;
}

const mostProblems = 1_000;
const mostNames = 10_000;

export function listPolicies(services: ConsolePolicyServices): wire.ConsolePolicies {
  needsControlPlane(services.policies);
  const warnings = new Map<string, number>();
  for (const { object } of services.policyWarnings())
    warnings.set(policyKey(object), (warnings.get(policyKey(object)) ?? 0) + 1);
  return {
    policies: services.policyStatus().map((status) => headOf(status, warnings)),
    problems: services.meshSources().flatMap(sourceProblems).slice(0, mostProblems),
  };
}

/** @throws CitadelError NotFound */
export function getPolicy(services: ConsolePolicyServices, key: wire.ConsolePolicyKey): wire.ConsolePolicy {
  needsControlPlane(services.policies);
  const status = services.policyStatus().find(({ policy }) => policyKeyOf(policy) === policyKey(key));
  if (!status) throw new CitadelError('NotFound', 'there is no such policy any more');
  return { ...headOf(status, new Map()), text: textOf(status.policy) };
}

/** @throws CitadelError FailedPrecondition where it is not known yet */
export function worldOf({
  policies,
  policyWorld,
}: Pick<ConsolePolicyServices, 'policyWorld'> & { readonly policies: unknown }): PolicyWorld {
  needsControlPlane(policies);
  const world = policyWorld();
  if (world) return world;
  throw new CitadelError('FailedPrecondition', 'this server does not know yet who is in the mesh');
}

export function summarizeWorld(services: ConsolePolicyServices): wire.ConsoleWorld {
  const world = worldOf(services);
  const workloads = [...world.workloads.values()];
  const names = (each: readonly string[]) => [...new Set(each)].toSorted(compareText).slice(0, mostNames);
  return {
    namespaces: names([
      ...workloads.map(({ namespace }) => namespace),
      ...world.policies.map(({ meta }) => meta.namespace),
    ]),
    serviceAccounts: names(
      workloads.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`),
    ),
    services: names(
      [...world.services.values()].flatMap(({ id, ports }) => ports.map(({ port }) => `${id}:${port}`)),
    ),
    rootNamespace: world.settings.rootNamespace,
    trustDomain: world.settings.trustDomain,
  };
}

export function formatText(text: string): wire.ConsoleFormatted {
  const formatting = formatPolicies(text, source);
  return { text: formatting.text, problems: formatting.problems.map(problemToWire) };
}

export async function planChange(
  services: ConsolePolicyServices,
  change: wire.ConsoleChange,
): Promise<wire.ConsolePlan> {
  const request = await changeOf(services, change);
  return planToWire(services, await needsControlPlane(services.policies).plan(request), request);
}

/** @throws CitadelError as PolicyService.apply does */
export async function applyChange(
  services: ConsolePolicyServices,
  { expectedRevision, reason, ...change }: wire.ConsoleApply,
  author: OperatorCaller,
): Promise<wire.ConsolePlan> {
  const why = givenReason(reason);
  const request = await changeOf(services, change);
  const plan = await needsControlPlane(services.policies).apply(request, expectedRevision, author, why);
  return planToWire(services, plan, request);
}

/** What is changed in a browser is changed by people, who can say why. @throws CitadelError InvalidArgument */
export function givenReason(reason: string): string {
  if (reason.trim() !== '') return checkedReason(reason);
  throw new CitadelError('InvalidArgument', 'say why, for those who come after');
}

export function planToWire(
  services: ConsolePolicyServices,
  { problems, warnings, effects, revision }: PolicyPlan,
  { texts }: Pick<PolicyChangeRequest, 'texts'>,
): wire.ConsolePlan {
  const now = byKey(services.policyWorld()?.policies ?? []);
  const then = byKey(problems.length > 0 ? [] : policiesOf(texts));
  return {
    problems: problems.slice(0, mostProblems).map(problemToWire),
    warnings: warnings.slice(0, mostProblems).map(problemToWire),
    effects: effects.map(({ key, kind: effect, shadowedBy = '' }) => ({
      ...key,
      effect,
      shadowedBy,
      before: optionalText(now.get(policyKey(key))),
      after: effect === 'remove' ? '' : optionalText(then.get(policyKey(key))),
    })),
    revision,
  };
}

/** What stored objects would make of what holds. */
export function effectsOf(
  services: Pick<ConsolePolicyServices, 'policyWorld'>,
  objects: readonly Omit<StoredPolicy, 'revision'>[],
): readonly wire.ConsoleEffect[] {
  const now = byKey(services.policyWorld()?.policies ?? []);
  return objects.map(({ kind, namespace, name, text }) => {
    const key = { kind, namespace, name };
    const before = optionalText(now.get(policyKey(key)));
    const [after] = policiesOf(text === undefined ? [] : [{ source: policyKey(key), text }]);
    const effect = text === undefined ? 'remove' : before === '' ? 'create' : 'update';
    return { ...key, effect, shadowedBy: '', before, after: optionalText(after) };
  });
}

const policiesOf = (texts: PolicyChangeRequest['texts']) =>
  texts.flatMap((each) => readPolicies(each.text, each).policies);
const byKey = (policies: readonly Policy[]): ReadonlyMap<string, Policy> =>
  new Map(policies.map((policy) => [policyKeyOf(policy), policy]));

function headOf(
  { policy, workloads, current, pending, refusals }: PolicyStatus,
  warnings: ReadonlyMap<string, number>,
): wire.ConsolePolicyHead {
  const { origin, generation } = policy.meta;
  return {
    ...policyIdentity(policy),
    source: origin.line === undefined ? origin.source : `${origin.source}:${origin.line}`,
    stored: isStoredOrigin(origin.source),
    generation,
    workloads,
    current,
    pending,
    refused: refusals.length,
    warnings: warnings.get(policyKeyOf(policy)) ?? 0,
  };
}

/** As an author would write it: what its source keeps of it beside is not his. */
const textOf = (policy: Policy) => {
  const { namespace, name, origin } = policy.meta;
  return formatPolicyObject(policyObject({ ...policy, meta: { namespace, name, origin, generation: 0 } }));
};
const optionalText = (policy: Policy | undefined) => (policy ? textOf(policy) : '');

function problemToWire({
  line = 0,
  column = 0,
  path,
  message,
  mend = '',
}: Omit<PolicyProblem, 'object'>): wire.ConsoleProblem {
  return { line, column, path, message, mend };
}
