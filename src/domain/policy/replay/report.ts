import { compareText } from '../../../kernel/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import type { ReplayedDecision } from './evaluate.ts';
import type {
  ReplayExample,
  ReplayGroup,
  ReplayReport,
  RulesStanding,
  Tally,
  UndecidedGroup,
} from './model.ts';

export type Kind = 'unchanged' | 'change' | 'mismatch' | 'undecided';

const mostExamples = 3;
const mostCallees = 100;
const none: Tally = { records: 0, calls: 0 };

interface Gathered extends Tally {
  readonly rules: RulesStanding;
  readonly last: Date;
  readonly examples: readonly ReplayExample[];
}

/** Adds up what becomes of records. */
export class ReplayCounts {
  #total = none;
  #unchanged = none;
  #sampled = none;
  #gone = none;
  #decidedByOthers = none;
  readonly #callees = new Set<string>();
  readonly #groups = { change: new Map<string, Gathered>(), mismatch: new Map<string, Gathered>() };
  readonly #undecided = new Map<string, Gathered>();

  add(kind: Kind, example: ReplayExample): void {
    const { record } = example;
    this.#count(record);
    if (example.rules === 'changed') this.#decidedByOthers = plus(this.#decidedByOthers, record);
    if (kind === 'unchanged') this.#unchanged = plus(this.#unchanged, record);
    else if (kind === 'undecided') gather(this.#undecided, example.after.lacks.join('\n'), example);
    else gather(this.#groups[kind], JSON.stringify(identity(example)), example);
  }

  addGone(record: DecisionRecord): void {
    this.#count(record);
    this.#gone = plus(this.#gone, record);
    if (this.#callees.size < mostCallees) this.#callees.add(record.workload);
  }

  report(): ReplayReport {
    return {
      total: this.#total,
      unchanged: this.#unchanged,
      changes: groupsOf(this.#groups.change),
      undecided: undecidedOf(this.#undecided),
      mismatches: groupsOf(this.#groups.mismatch),
      gone: { ...this.#gone, callees: [...this.#callees].toSorted(compareText) },
      decidedByOthers: this.#decidedByOthers,
      sampled: this.#sampled,
    };
  }

  #count(record: DecisionRecord): void {
    this.#total = plus(this.#total, record);
    if (record.sampled) this.#sampled = plus(this.#sampled, record);
  }
}

function plus({ records, calls }: Tally, { count }: DecisionRecord): Tally {
  return { records: records + 1, calls: calls + count };
}

function gather(groups: Map<string, Gathered>, key: string, example: ReplayExample): void {
  const { last } = example.record;
  const known = groups.get(key) ?? { ...none, last, rules: example.rules, examples: [] };
  const examples = [...known.examples, example]
    .toSorted((a, b) => b.record.count - a.record.count)
    .slice(0, mostExamples);
  groups.set(key, {
    ...plus(known, example.record),
    last: last > known.last ? last : known.last,
    rules: known.rules === example.rules ? known.rules : 'unknown',
    examples,
  });
}

type Identity = Pick<ReplayGroup, 'callee' | 'port' | 'caller' | 'becomes' | 'before' | 'after'>;

function identity({ record, callee, before, after }: ReplayExample): Identity {
  return {
    callee,
    port: record.port,
    caller: callerName(record),
    becomes: after.verdict === 'allow' ? 'allowed' : 'denied',
    before: before.verdict === 'unknown' ? recordedWords(record) : decisionWords(before),
    after: decisionWords(after),
  };
}

/** In the order of their calls; of equals by their names. */
function groupsOf(groups: ReadonlyMap<string, Gathered>): readonly ReplayGroup[] {
  return [...groups.values()]
    .flatMap((gathered) => {
      const [first] = gathered.examples;
      return first ? [{ ...identity(first), ...gathered }] : [];
    })
    .toSorted(
      (a, b) =>
        b.calls - a.calls || compareText(a.callee + a.caller + a.after, b.callee + b.caller + b.after),
    );
}

function undecidedOf(groups: ReadonlyMap<string, Gathered>): readonly UndecidedGroup[] {
  return [...groups]
    .map(([key, { records, calls, examples }]) => ({ lacks: key.split('\n'), records, calls, examples }))
    .toSorted((a, b) => b.calls - a.calls || compareText(a.lacks.join(), b.lacks.join()));
}

export function callerName({ caller, transport, lacks }: DecisionRecord): string {
  if (caller !== undefined) return caller;
  return lacks.includes('caller') || transport === 'mtls' ? 'unknown' : transport;
}

/** What decided, for a reader. */
function decisionWords({ verdict, step, by }: ReplayedDecision): string {
  const rule = by && `${by.namespace}/${by.name}, rule ${by.rule}`;
  switch (step) {
    case undefined:
      return 'cannot be told';
    case 'TLS':
      return 'mutual TLS is demanded';
    case 'PATH':
      return 'its path, method or host can be read in two ways';
    case 'CUSTOM':
      return rule === undefined ? 'an authorizer' : `CUSTOM ${rule}`;
    case 'JWT':
      return 'its token is refused';
    case 'DENY':
      return rule === undefined ? 'a DENY' : `DENY ${rule}`;
    case 'ALLOW':
      if (verdict === 'deny') return 'no ALLOW matches';
      return rule === undefined ? 'an ALLOW' : `ALLOW ${rule}`;
    case 'default':
      return 'no policy decides it';
  }
}

function recordedWords({ decision, policy, rule, refusedBy }: DecisionRecord): string {
  if (policy !== undefined) return `${policy}${rule === undefined ? '' : `, rule ${rule}`}`;
  return decision === 'allowed' ? 'allowed' : `refused by ${refusedBy ?? 'its proxy'}`;
}
