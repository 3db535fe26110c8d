import { sameMembers } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import { policyHash } from '../canonical.ts';
import { policiesByWorkload } from '../holding.ts';
import type { Policy } from '../model.ts';
import { indexPolicies, mutualTlsModeOf } from '../select.ts';
import { askableProviders, type PolicyWorld } from '../world/index.ts';
import { calleeFinder } from './callee.ts';
import { evaluate, type Judgement, type ReplayedDecision, type TokenRules } from './evaluate.ts';
import type { RulesStanding } from './model.ts';

/** What becomes of a recorded call in both worlds. */
export interface Judged {
  readonly callee: string;
  readonly before: ReplayedDecision;
  readonly after: ReplayedDecision;
  /** Whether it was decided by the rules of now; `unknown` where its proxy did not tell. */
  readonly rules: RulesStanding;
}

/** Of policies that hold together, all that a decision by them may be recorded as decided by. */
export type RulesVersions = (policies: readonly Policy[]) => ReadonlySet<string>;

/** Undefined for a record of what is there no more. */
export function judgeOf(
  before: PolicyWorld,
  after: PolicyWorld,
  versionsOf?: RulesVersions,
): (record: DecisionRecord) => Judged | undefined {
  const calleeOf = calleeFinder(after.workloads);
  const [holdingBefore, holdingAfter] = [before, after].map((world) =>
    policiesByWorkload(indexPolicies(world), after.workloads.values()),
  );
  const judgements = new Map<string, Judgements>();
  const judgementsOf = (callee: Workload, port: number, tcp: boolean): Judgements => {
    const key = `${callee.id} ${port} ${tcp}`;
    const known = judgements.get(key);
    if (known) return known;
    const of = (world: PolicyWorld, holding: typeof holdingBefore) =>
      judgement(world, callee, { policies: holding?.get(callee.id) ?? [], port, tcp });
    const [was, will] = [of(before, holdingBefore), of(after, holdingAfter)];
    const tokens = { was: tokenRules(was, was), will: tokenRules(was, will) };
    // Most of what a candidate does not speak of: there is nothing to decide twice.
    const isSame =
      before.settings === after.settings &&
      was.mode === will.mode &&
      sameMembers(was.policies, will.policies);
    const made = { was, will, tokens, isSame };
    judgements.set(key, made);
    return made;
  };
  return (record) => {
    const callee = calleeOf(record);
    const tcp = callee && isTcp(callee, record);
    if (!callee || tcp === undefined) return undefined;
    const { was, will, tokens, isSame } = judgementsOf(callee, record.port, tcp);
    const name = `${callee.namespace}/${callee.serviceAccount}`;
    const rules = versionsOf ? standing(record, versionsOf(was.policies)) : 'unknown';
    if (hangsOnPort(record, callee, [was, will]))
      return { callee: name, before: portUnknown, after: portUnknown, rules };
    const { comesToTokens, ...decidedBefore } = evaluate(record, was, tokens.was);
    if (isSame) return { callee: name, before: decidedBefore, after: decidedBefore, rules };
    const recorded = { mode: was.mode, comesToTokens };
    const { comesToTokens: _, ...decidedAfter } = evaluate(record, will, tokens.will, recorded);
    return { callee: name, before: decidedBefore, after: decidedAfter, rules };
  };
}

function standing({ rules }: DecisionRecord, now: ReadonlySet<string>): RulesStanding {
  if (rules === undefined) return 'unknown';
  return now.has(rules) ? 'same' : 'changed';
}

interface Judgements {
  readonly was: Judgement;
  readonly will: Judgement;
  readonly tokens: { readonly was: TokenRules; readonly will: TokenRules };
  /** Whether both worlds decide by the very same here. */
  readonly isSame: boolean;
}

/**
 * Undefined for a port that is there no more. What capture brings to ports that nobody declares is bytes; a record
 * without its caller may be of any.
 */
function isTcp({ ports, proxy }: Workload, record: DecisionRecord): boolean | undefined {
  const declared = ports.find(({ port }) => port === record.port);
  if (declared) return declared.protocol === 'tcp';
  if (record.lacks.includes('caller')) return ports.every(({ protocol }) => protocol === 'tcp');
  return proxy === 'capture' ? true : undefined;
}

const portUnknown: ReplayedDecision = { verdict: 'unknown', step: undefined, by: undefined, lacks: ['port'] };

/** Whether it must be known which port was called: some are read otherwise than others, or take connections otherwise. */
function hangsOnPort(
  { lacks }: DecisionRecord,
  { ports, proxy }: Workload,
  judgements: readonly Judgement[],
): boolean {
  if (!lacks.includes('port')) return false;
  const hasPortModes = judgements.some(({ policies }) =>
    policies.some((policy) => policy.kind === 'PeerAuthentication' && policy.portLevel.size > 0),
  );
  if (hasPortModes || !lacks.includes('caller')) return hasPortModes;
  const kinds = new Set([
    ...ports.map(({ protocol }) => protocol === 'tcp'),
    ...(proxy === 'capture' ? [true] : []),
  ]);
  return kinds.size > 1;
}

function judgement(
  { settings, strict }: PolicyWorld,
  callee: Workload,
  {
    policies,
    port,
    tcp,
  }: { readonly policies: readonly Policy[]; readonly port: number; readonly tcp: boolean },
): Judgement {
  const { trustDomain, trustDomainAliases } = settings;
  const mode = mutualTlsModeOf(policies, port);
  return {
    policies,
    mode: mode === 'PERMISSIVE' && strict.has(callee.id) ? 'STRICT' : mode,
    tcp,
    trustDomain,
    trustDomainAliases,
    providers: new Set(askableProviders(settings, tcp)),
  };
}

function tokenRules(was: Judgement, will: Judgement): TokenRules {
  const rules = ({ policies }: Judgement) =>
    policies.filter(({ kind }) => kind === 'RequestAuthentication').map((policy) => policyHash(policy));
  const [old, present] = [rules(was), rules(will)];
  if (present.length === 0) return 'none';
  return old.toSorted().join() === present.toSorted().join() ? 'as-recorded' : 'changed';
}
