import { policyKey } from '../read/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { Engine } from './engine.ts';
import { never } from './formulas.ts';
import type {
  Comparison,
  Difference,
  ExactLimits,
  PortOf,
  Reach,
  Region,
  Undecided,
  Witness,
} from './model.ts';
import { contentOf, type Group, placesOf, tokenRulesOf } from './places.ts';
import { regionsOf } from './regions.ts';
import { type TokenChange, tokenChange } from './tokens/model.ts';
import { decided, mustBe, witnessOf } from './witness.ts';

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
  const asking = (engine: Engine) => ({ engine, was: engine.outcomes(before), is: engine.outcomes(after) });
  const free = asking(new Engine(after, limits));
  let ofTokens: typeof free | undefined;
  const { groups, unenforced, unpaired } = placesOf(before, after);
  const sameSettings = settingsOf(before) === settingsOf(after);
  const differences: Difference[] = [];
  const undecided: Undecided[] = [];
  let identical = 0;
  let searched = 0;
  let complete = true;
  for (const group of groups) {
    if (
      sameSettings &&
      group.before.mode === group.after.mode &&
      group.before.protocol === group.after.protocol &&
      contentOf(group.before.policies) === contentOf(group.after.policies)
    ) {
      identical += 1;
      continue;
    }
    const rules = rulesCompared(group);
    if ('reason' in rules) {
      undecided.push(rules);
      continue;
    }
    if (rules.before)
      ofTokens ??= asking(new Engine(after, limits, { realTokens: true, budget: free.engine.budget }));
    const { engine, was, is } = (rules.before && ofTokens) ?? free;
    const [first, second] = [
      { ...group.before, tokenRules: rules.before },
      { ...group.after, tokenRules: rules.after },
    ];
    engine.budget.grant(engine.limits.stepsOfGroup);
    try {
      const [allowedFirst, allowedThen] = [was.allowed(first), is.allowed(second)];
      if (allowedFirst === allowedThen) {
        identical += 1;
        continue;
      }
      const { diff, givenUp } = engine.differences(allowedFirst, allowedThen);
      if (givenUp) undecided.push(engine.undecided(givenUp, group));
      // What was found is told, whatever it took to find it.
      engine.budget.grant(engine.limits.stepsOfGroup);
      searched += 1;
      const { regions, complete: all } = regionsOf(engine.vocabulary, diff, engine.limits.regions);
      complete &&= all;
      for (const { region, samples, becomes } of regions) {
        const witness = witnessOf(samples, engine.defaults(group, group.after.protocol));
        differences.push({
          places: group.members,
          protocol: group.after.protocol,
          becomes,
          region,
          witness,
          before: mustBe(decided(witness, first, before), becomes === 'allowed' ? 'deny' : 'allow', witness),
          after: mustBe(decided(witness, second, after), becomes === 'allowed' ? 'allow' : 'deny', witness),
        });
      }
    } catch (error) {
      undecided.push(engine.undecided(error, group));
    }
  }
  return {
    outcome: differences.length > 0 ? 'different' : undecided.length > 0 ? 'undecided' : 'same',
    differences,
    complete: complete && undecided.length === 0,
    undecided,
    proof: { groups: groups.length, identical, searched, unenforced, unpaired },
  };
}

/** All that may reach a port. */
export function allowedRegions(world: PolicyWorld, place: PortOf, limits: Partial<ExactLimits> = {}): Reach {
  const group = groupOf(world, place);
  if (!group) return { regions: [], complete: true, undecided: undefined };
  const engine = new Engine(world, limits);
  engine.budget.grant(engine.limits.stepsOfGroup);
  try {
    const { diff, givenUp } = engine.differences(never, engine.outcomes(world).allowed(group.after));
    engine.budget.grant(engine.limits.stepsOfGroup);
    const { regions, complete } = regionsOf(engine.vocabulary, diff, engine.limits.regions);
    const found = regions.map(({ region, samples }): { region: Region; witness: Witness } => {
      const witness = witnessOf(samples, engine.defaults(group, group.after.protocol));
      mustBe(decided(witness, group.after, world), 'allow', witness);
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

/** What both take for a token, where that is not the same; or what cannot be told of a group. */
function rulesCompared({ before, after, members }: Group): Partial<TokenChange> | Undecided {
  const of = (reason: string, policies: readonly string[]): Undecided => ({
    places: members,
    protocol: after.protocol,
    policies,
    reason,
  });
  if (before.protocol !== after.protocol) return of('the port is read as HTTP in one of both alone', []);
  if (after.protocol === 'tcp' || tokenRulesOf(before.policies) === tokenRulesOf(after.policies)) return {};
  const change = tokenChange(before.policies, after.policies);
  if (typeof change !== 'string') return change;
  const policies = new Set(
    [...before.policies, ...after.policies]
      .filter(({ kind }) => kind === 'RequestAuthentication')
      .map(({ kind, meta }) => policyKey({ ...meta, kind })),
  );
  return of(`which tokens are taken changes, and ${change}`, [...policies]);
}
