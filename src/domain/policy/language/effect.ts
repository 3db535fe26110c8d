import { compareWorlds, type ExactLimits, markText, placesText, regionText } from '../exact/index.ts';
import type { Policy } from '../model.ts';
import { policyKeyOf } from '../read/index.ts';
import { type PolicyWorld, withoutPolicies, withPolicies } from '../world/index.ts';

/** Somebody looks at a place for a moment, and an editor waits. */
const limits: ExactLimits = { steps: 400_000, stepsOfGroup: 200_000, regions: 5 };

/**
 * What a policy does among those that hold, or one of its rules: what would be decided otherwise without it, in Markdown.
 * @param policies those of the text in which it stands
 * @param rule from 0; undefined for all of the policy
 */
export function effectOf(
  policy: Policy,
  rule: number | undefined,
  policies: readonly Policy[],
  world: PolicyWorld,
): string | undefined {
  const present = withPolicies(world, policies);
  const without =
    rule === undefined
      ? withoutPolicies(present, new Set([policyKeyOf(policy)]))
      : withoutRule(present, policy, rule);
  if (!without) return undefined;
  const found = compareWorlds(without, present, limits);
  const name = rule === undefined ? 'it' : `rule ${rule}`;
  if (found.outcome === 'same' && found.marks.differences.length === 0)
    return `Without ${name} all would be decided as it is.`;
  if (found.outcome === 'undecided')
    return `What would be decided otherwise without ${name} cannot be told while you wait; \`citadel policy diff\` takes longer.`;
  const lines = [
    ...found.differences.map(
      ({ region, places, becomes }) =>
        `- ${becomes === 'allowed' ? 'lets in' : 'denies'}: ${regionText(region)}; to ${placesText(places)}`,
    ),
    ...found.marks.differences
      .filter(({ becomes }) => becomes === 'marked')
      .map((mark) => `- ${markText(mark)}: ${regionText(mark.region)}; to ${placesText(mark.places)}`),
  ];
  const more = found.complete && found.marks.complete ? [] : ['- and more'];
  return [`What ${name} does:`, '', ...lines, ...more].join('\n');
}

function withoutRule(world: PolicyWorld, policy: Policy, rule: number): PolicyWorld | undefined {
  if (policy.kind !== 'AuthorizationPolicy' || !policy.rules[rule]) return undefined;
  return withPolicies(world, [{ ...policy, rules: policy.rules.toSpliced(rule, 1) }]);
}
