import { CitadelError, compareText } from '../../../kernel/index.ts';
import { printYaml } from '../../../yaml/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import { normalizePath } from '../decide/index.ts';
import { formatPolicyProblem } from '../read/index.ts';
import { calleeFinder } from '../replay/index.ts';
import { generalise, suggestTarget } from '../suggest/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import type { CallOutcome } from './model.ts';
import { readPolicyTests } from './read.ts';
import { policyTestShape } from './schema.ts';

/** Tests that say what was recorded. */
export interface ProposedTests {
  /** YAML of kind PolicyTest; undefined where nothing that was recorded makes a test. */
  readonly text: string | undefined;
  readonly cases: number;
  /** Calls of which no test is made: the record does not tell enough of them, or there would be too many cases. */
  readonly leftOut: number;
}

const mostCases = 500;
/** Of paths that differ in an identifier alone, so many are called. */
const mostExamples = 2;
const variety = 3;

/**
 * One case for each caller, method and kind of path, and what became of such calls when they were made last.
 * @param to a workload or a service, as `<namespace>/<name>`
 * @throws CitadelError NotFound, FailedPrecondition where there is nobody
 */
export function proposeTests(
  records: readonly DecisionRecord[],
  world: PolicyWorld,
  { to }: { readonly to: string },
): ProposedTests {
  const target = suggestTarget(world, to);
  const calleeOf = calleeFinder(world.workloads);
  const selected = new Set(target.workloads.map(({ id }) => id));
  const own = records.filter((record) => selected.has(calleeOf(record)?.id ?? ''));
  const usable = new Set(own.filter((record) => isTellable(record, portOf(world, to, record) !== undefined)));
  const cases = casesOf([...usable], namingOf(world, to, usable));
  const kept = cases.slice(0, mostCases);
  const lost = [
    ...own.filter((record) => !usable.has(record)),
    ...cases.slice(mostCases).flatMap((each) => each.records),
  ];
  const leftOut = lost.reduce((sum, { count }) => sum + count, 0);
  if (kept.length === 0) return { text: undefined, cases: 0, leftOut };
  const [namespace, name] = [target.namespace, to.split('/').at(-1) ?? ''];
  const text = printYaml(
    {
      apiVersion: 'citadel.dev/v1',
      kind: 'PolicyTest',
      metadata: { name: `${name}-recorded`, namespace },
      spec: { cases: kept.map(({ written }) => written) },
    },
    () => policyTestShape,
  );
  const [problem] = readPolicyTests(text, 'proposed').problems;
  if (problem)
    throw new CitadelError('Internal', `what is proposed is no test: ${formatPolicyProblem(problem)}`);
  return { text, cases: kept.length, leftOut };
}

/** Whether a test can say it; a path that no policy compares as it is, or a method that is none, says nothing. */
function isTellable(record: DecisionRecord, hasPort: boolean): boolean {
  const { transport, lacks, method, path } = record;
  if (!hasPort || transport === 'other-tls' || outcomeOf(record) === undefined) return false;
  if ((['caller', 'transport', 'method', 'path', 'port'] as const).some((name) => lacks.includes(name)))
    return false;
  if (transport === 'mtls' && record.caller === undefined) return false;
  if (method === undefined) return path === undefined;
  return /^[A-Z-]{1,32}$/.test(method) && path !== undefined && normalizePath(path) === path;
}

/** Undefined where it hangs on more than policies: an authorizer, or a token. */
function outcomeOf({ decision, refusedBy }: DecisionRecord): CallOutcome | undefined {
  if (decision === 'allowed') return 'allowed';
  if (refusedBy === 'policies') return 'denied';
  return refusedBy === 'connection' ? 'refused' : undefined;
}

/** As a caller names it: of a service, the service's own. */
function portOf(world: PolicyWorld, to: string, { port, workload }: DecisionRecord): number | undefined {
  const service = world.services.get(to);
  if (!service) return world.workloads.get(workload)?.ports.find((each) => each.port === port)?.port ?? port;
  return service.ports.find(({ endpoints }) => endpoints.some((each) => each.port === port))?.port;
}

interface Case {
  readonly written: {
    readonly name: string;
    readonly from: string;
    readonly to: string;
    readonly method?: string;
    readonly path?: string | readonly string[];
    readonly expect: CallOutcome;
  };
  readonly records: readonly DecisionRecord[];
}

function casesOf(records: readonly DecisionRecord[], naming: Naming): readonly Case[] {
  const groups = new Map<string, { readonly expect: CallOutcome; readonly records: DecisionRecord[] }>();
  for (const record of lastOfEach(records)) {
    const expect = outcomeOf(record) ?? 'denied';
    const key = JSON.stringify([
      record.caller ?? 'plaintext',
      naming.callee(record),
      record.method ?? '',
      expect,
    ]);
    const known = groups.get(key);
    if (known) known.records.push(record);
    else groups.set(key, { expect, records: [record] });
  }
  return [...groups.values()]
    .flatMap(({ expect, records: alike }) => withPaths(alike, expect, naming))
    .toSorted((a, b) => compareText(a.written.name, b.written.name));
}

/** The policies may have changed between two calls: the later one counts. */
function lastOfEach(records: readonly DecisionRecord[]): readonly DecisionRecord[] {
  const last = new Map<string, DecisionRecord>();
  for (const record of records) {
    const { caller, port, method, path } = record;
    const key = JSON.stringify([caller, port, method, path]);
    const before = last.get(key);
    if (!before || before.last < record.last) last.set(key, record);
  }
  return [...last.values()];
}

function withPaths(records: readonly DecisionRecord[], expect: CallOutcome, naming: Naming): readonly Case[] {
  const [first] = records;
  if (!first) return [];
  const { caller: from = 'plaintext', method } = first;
  const to = naming.callee(first);
  const name = (what: string) => `${naming.caller(from)} ${what} is ${expect}`;
  if (method === undefined) return [{ written: { name: name(`to ${to}`), from, to, expect }, records }];
  return generalise(
    records.map(({ path = '/' }) => path),
    variety,
  ).map(({ pattern, paths }) => {
    const examples = paths.toSorted(compareText).slice(0, mostExamples);
    return {
      written: {
        name: name(`${method} ${pattern}${naming.hasPorts ? ` at ${to}` : ''}`),
        from,
        to,
        method,
        path: examples.length === 1 ? (examples[0] ?? '/') : examples,
        expect,
      },
      records: records.filter(({ path = '/' }) => paths.includes(path)),
    };
  });
}

/** How callers and callees are called in tests. */
interface Naming {
  readonly callee: (record: DecisionRecord) => string;
  /** Short for those of this mesh. */
  readonly caller: (from: string) => string;
  readonly hasPorts: boolean;
}

function namingOf(world: PolicyWorld, to: string, records: ReadonlySet<DecisionRecord>): Naming {
  const own = `spiffe://${world.settings.trustDomain}/ns/`;
  return {
    callee: (record) => `${to}:${portOf(world, to, record)}`,
    caller: (from) => {
      const [, namespace, account] = /^([^/]+)\/sa\/([^/]+)$/.exec(from.slice(own.length)) ?? [];
      return from.startsWith(own) && account !== undefined ? `${namespace}/${account}` : from;
    },
    hasPorts: new Set([...records].map(({ port }) => port)).size > 1,
  };
}
