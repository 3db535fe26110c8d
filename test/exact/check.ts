import { compareWorlds, type Difference, type WorldComparison } from '../../src/domain/policy/exact/index.ts';
import type { AuthorizationPolicy, PolicyWorld } from '../../src/domain/policy/index.ts';
import type { Random } from '../oracle/generate/index.ts';
import { isInRegion, type Seen } from './membership.ts';
import { Decider, isAmong, type Place, placesOf, type Trial } from './place.ts';
import { seen } from './seen.ts';
import { universeFor } from './universe.ts';

export interface Checked {
  readonly comparison: WorldComparison;
  /** Requests that both worlds were asked about. */
  readonly requests: number;
  /** How many of them are decided in another way. */
  readonly differing: number;
  /** Whether all values of all universes were combined. */
  readonly whole: boolean;
  /** What the engine said and is not so; empty where it is right. */
  readonly faults: readonly Fault[];
}

export interface Fault {
  readonly what: string;
  readonly place: Place | undefined;
  readonly trial: Trial | undefined;
}

const mostFaults = 3;

/** Requests for one place, made around what these policies say. */
export type Trials = (policies: readonly AuthorizationPolicy[], place: Place) => TrialSet;

export interface TrialSet {
  /** Whether they are all that can be made of the values chosen. */
  readonly whole: boolean;
  trials(): Iterable<Trial>;
}

/** All requests of small universes. @param most of one place */
export function everyRequest(random: Random, most: number, world: PolicyWorld): Trials {
  return (policies, place) => universeFor(policies, world, place, { random, most });
}

/** Compares two worlds by the engine, and holds what it says against requests. */
export function checkPair(before: PolicyWorld, after: PolicyWorld, trialsFor: Trials): Checked {
  const comparison = compareWorlds(before, after);
  const faults = [
    ...outcomeFaults(comparison),
    ...comparison.differences.flatMap((each) => witnessFaults(each, before, after)),
  ];
  let [requests, differing, whole] = [0, 0, true];
  for (const place of placesOf([before, after])) {
    const [one, other] = [new Decider(before, place), new Decider(after, place)];
    if (comparison.undecided.some(({ places }) => isAmong(place, places))) continue;
    const differences = comparison.differences.filter(
      ({ places, protocol }) => isAmong(place, places) && protocol === place.protocol,
    );
    const tried = trialsFor([...one.policies, ...other.policies], place);
    whole &&= tried.whole;
    for (const trial of tried.trials()) {
      const [was, is] = [one.allows(trial), other.allows(trial)];
      requests += 1;
      if (was !== is) differing += 1;
      const asked = seen(trial, before);
      const what =
        faultOf(was, is, comparison, differences, asked) ??
        markFault([one.marks(trial), other.marks(trial)], comparison, place, asked);
      if (what !== undefined && faults.length < mostFaults) faults.push({ what, place, trial });
    }
  }
  return { comparison, requests, differing, whole, faults };
}

function outcomeFaults({ outcome, differences, undecided }: WorldComparison): Fault[] {
  const right = differences.length > 0 ? 'different' : undecided.length > 0 ? 'undecided' : 'same';
  return outcome === right
    ? []
    : [{ what: `says ${outcome} where it has shown ${right}`, place: undefined, trial: undefined }];
}

/** A request is in a region of its direction just where it is decided in another way. */
function faultOf(
  was: boolean,
  is: boolean,
  { complete }: WorldComparison,
  differences: readonly Difference[],
  request: Seen,
): string | undefined {
  // What has no canonical path is never let through, and is no request that an answer is about.
  if (request.request.http && request.path === undefined)
    return was || is ? 'allowed without a path' : undefined;
  const holding = differences.filter(({ region }) => isInRegion(region, request) === true);
  const becomes = was === is ? undefined : is ? 'allowed' : 'denied';
  const wrong = holding.find((each) => each.becomes !== becomes);
  if (wrong)
    return `is in a region that becomes ${wrong.becomes}, and ${becomes === undefined ? 'does not change' : `becomes ${becomes}`}: ${JSON.stringify(wrong.region)}`;
  const isUntold = differences.some(({ region }) => isInRegion(region, request) === undefined);
  if (becomes !== undefined && holding.length === 0 && !isUntold && (complete || differences.length === 0))
    return `becomes ${becomes}, and is in no region`;
  return undefined;
}

type Marks = ReadonlyMap<string, boolean>;

/** Of requests that get so far on both sides: each mark is told just where it is another. */
function markFault(
  [was, is]: readonly [Marks, Marks],
  { marks }: WorldComparison,
  place: Place,
  request: Seen,
): string | undefined {
  if (request.request.http && request.path === undefined) return undefined;
  for (const [name, before] of was) {
    const after = is.get(name);
    if (after === undefined) continue;
    const told = marks.differences.filter(
      ({ places, protocol, mark: { action, dryRun }, region }) =>
        name === `${dryRun ? 'dry ' : ''}${action}` &&
        protocol === place.protocol &&
        isAmong(place, places) &&
        isInRegion(region, request) === true,
    );
    const becomes = before === after ? undefined : after ? 'marked' : 'unmarked';
    const said = new Set(told.map((each) => each.becomes));
    const isUntold = said.size === 0 && !marks.complete;
    if (!isUntold && [...said].join() !== (becomes ?? ''))
      return `${name}: is said to become ${[...said].join()}, and becomes ${becomes}`;
  }
  return undefined;
}

function witnessFaults(difference: Difference, before: PolicyWorld, after: PolicyWorld): Fault[] {
  const { witness, places, protocol, becomes, region, readAs } = difference;
  const trial: Trial = witness;
  const faults: Fault[] = [];
  for (const { workload, port } of places) {
    const place = {
      workload,
      port: port === 'other' ? witness.request.destinationPort : port,
      protocol,
      isMixed: readAs !== undefined,
      of: port,
    };
    const [was, is] = [new Decider(before, place).allows(trial), new Decider(after, place).allows(trial)];
    if (was === is || is !== (becomes === 'allowed'))
      faults.push({
        what: `the witness of what becomes ${becomes} is ${was} before and ${is} after`,
        place,
        trial,
      });
  }
  if (
    (difference.before.verdict === 'allow') === (becomes === 'allowed') ||
    difference.before.verdict === difference.after.verdict
  )
    faults.push({ what: 'says other verdicts than what becomes of it', place: undefined, trial });
  if (isInRegion(region, seen(trial, before)) === false)
    faults.push({
      what: `the witness is not in its region: ${JSON.stringify(region)}`,
      place: undefined,
      trial,
    });
  return faults;
}
