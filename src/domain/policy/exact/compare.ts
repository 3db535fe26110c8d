import type { PolicyRequest } from '../decide/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { type Arrival, arrivalsOf, askedInVain, withoutClaims } from './arrivals.ts';
import { decided, mustBe } from './decided.ts';
import { Engine } from './engine.ts';
import { never } from './formulas.ts';
import { compareMarks } from './marks.ts';
import type {
  Comparison,
  Difference,
  ExactLimits,
  PortOf,
  Reach,
  Region,
  TokensUnread,
  Undecided,
  Witness,
} from './model.ts';
import { contentOf, type Group, placesOf } from './places.ts';
import { regionsOf } from './regions.ts';
import { Sides } from './sides.ts';
import { witnessOf } from './witness.ts';

/**
 * What changes for whom between two worlds: nothing, proven; or where, each with a request that is decided otherwise. Only
 * workloads that are in both are compared.
 * @throws CitadelError Internal where the decision function contradicts what was worked out
 */
export function compareWorlds(
  before: PolicyWorld,
  after: PolicyWorld,
  limits: Partial<ExactLimits> = {},
): Comparison {
  const sides = new Sides(before, after, limits);
  const { groups, ...uncompared } = placesOf(before, after);
  const sameSettings = settingsOf(before) === settingsOf(after);
  const differences: Difference[] = [];
  const undecided: Undecided[] = [];
  const tokensUnread: TokensUnread[] = [];
  let identical = 0;
  let searched = 0;
  let [complete, isEachCompared] = [true, true];
  const compared: { readonly group: Group; readonly arrivals: readonly Arrival[] }[] = [];
  for (const group of groups) {
    if (sameSettings && isUnchanged(group)) {
      identical += 1;
      continue;
    }
    const unread = askedInVain(group);
    if (unread) tokensUnread.push(unread);
    const arrivals = arrivalsOf(group);
    if ('reason' in arrivals) {
      undecided.push(arrivals);
      isEachCompared = false;
      continue;
    }
    compared.push({ group, arrivals });
    const isMixed = group.before.protocol !== group.after.protocol;
    let [isIdentical, isSearched] = [true, false];
    for (const { protocol, before: first, after: second } of arrivals) {
      const { engine, was, is } = sides.begin(first, second);
      try {
        const [allowedFirst, allowedThen] = [was.allowed(first), is.allowed(second)];
        if (allowedFirst === allowedThen) continue;
        isIdentical = false;
        const { diff, givenUp } = engine.differences(allowedFirst, allowedThen, {
          isMixed,
          carriers: first.carriers,
        });
        isSearched = true;
        if (givenUp) undecided.push(engine.undecided(givenUp, group));
        // What was found is told, whatever it took to find it.
        engine.budget.grant(engine.limits.stepsOfGroup);
        const { regions, complete: all } = regionsOf(engine.vocabulary, diff, engine.limits.regions);
        complete &&= all;
        for (const { region, samples, becomes } of regions) {
          const witness = witnessOf(samples, engine.defaults(group, protocol, first, second));
          differences.push({
            places: group.members,
            protocol,
            ...(isMixed && { readAs: { before: first.protocol, after: second.protocol } }),
            becomes,
            region,
            witness,
            before: mustBe(
              decided(witness, first, before),
              becomes === 'allowed' ? 'deny' : 'allow',
              witness,
            ),
            after: mustBe(decided(witness, second, after), becomes === 'allowed' ? 'allow' : 'deny', witness),
          });
        }
      } catch (error) {
        isIdentical = false;
        undecided.push(engine.undecided(error, group));
      }
    }
    if (isIdentical) identical += 1;
    else if (isSearched) searched += 1;
  }
  const marks = compareMarks(sides, compared);
  return {
    outcome: differences.length > 0 ? 'different' : undecided.length > 0 ? 'undecided' : 'same',
    differences,
    complete: complete && undecided.length === 0,
    undecided,
    marks: { ...marks, complete: marks.complete && isEachCompared },
    tokensUnread,
    proof: { groups: groups.length, identical, searched, ...uncompared },
  };
}

function isUnchanged({ before, after }: Group): boolean {
  return (
    before.mode === after.mode &&
    before.protocol === after.protocol &&
    before.proxied === after.proxied &&
    contentOf(before.policies) === contentOf(after.policies)
  );
}

/**
 * All that may reach a port.
 * @param caller whose calls alone are meant, of which nothing is said in the regions then; undefined: everybody's
 */
export function allowedRegions(
  world: PolicyWorld,
  place: PortOf,
  limits: Partial<ExactLimits> = {},
  caller?: Pick<PolicyRequest, 'sourcePrincipal'>,
): Reach {
  const group = groupOf(world, place);
  if (!group) return { regions: [], complete: true, undecided: undefined };
  const engine = new Engine(world, limits);
  const at = withoutClaims(group.after);
  engine.budget.grant(engine.limits.stepsOfGroup);
  try {
    const allowed = engine.outcomes(world).allowed(at);
    const asked = caller ? engine.ofCaller(allowed, caller.sourcePrincipal) : allowed;
    const { diff, givenUp } = engine.differences(never, asked);
    engine.budget.grant(engine.limits.stepsOfGroup);
    const { regions, complete } = regionsOf(engine.vocabulary, diff, engine.limits.regions);
    const found = regions.map(({ region, samples }): { region: Region; witness: Witness } => {
      const { request, ...rest } = witnessOf(samples, engine.defaults(group, group.after.protocol));
      const witness = { ...rest, request: { ...request, ...caller } };
      mustBe(decided(witness, at, world), 'allow', witness);
      return { region, witness };
    });
    return {
      regions: found,
      complete: complete && givenUp === undefined,
      undecided: givenUp && engine.undecided(givenUp, group),
    };
  } catch (error) {
    return { regions: [], complete: false, undecided: engine.undecided(error, group) };
  }
}

function settingsOf({ settings }: PolicyWorld): string {
  const { trustDomain, trustDomainAliases, authorizationProviders } = settings;
  return JSON.stringify([
    trustDomain,
    trustDomainAliases,
    authorizationProviders.map(({ name, kind }) => `${name} ${kind}`).toSorted(),
  ]);
}

/** A port under capture that is neither declared nor named is one of the others. */
function groupOf(world: PolicyWorld, { workload: id, port }: PortOf): Group | undefined {
  const workload = world.workloads.get(id);
  const only = { ...world, workloads: new Map(workload ? [[workload.id, workload]] : []) };
  const { groups } = placesOf(only, only);
  const at = (wanted: PortOf['port']) =>
    groups.find(({ members }) => members.some((member) => member.port === wanted));
  const found = at(port);
  if (found) return port === 'other' ? found : { ...found, port };
  const other = at('other');
  return other && port !== 'other' ? { ...other, port } : other;
}
