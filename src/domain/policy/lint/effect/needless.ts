import type { RuleOf } from '../../exact/index.ts';
import type { AuthorizationPolicy } from '../../model.ts';
import { authorizationsOf, type LintRegistry } from '../context.ts';
import { isAllowed, type Place } from './places.ts';
import type { Asked } from './reasons.ts';

interface Change {
  readonly place: Place;
  readonly before: readonly AuthorizationPolicy[];
  readonly after: readonly AuthorizationPolicy[];
}

/** Whether everything is decided alike without a policy, or without one rule more of what is left of it. */
export function isNeedless(
  policy: AuthorizationPolicy,
  rule: number | undefined,
  { asking, gone, places }: Asked,
  settings: LintRegistry['settings'],
): boolean {
  const rest = rule === undefined ? undefined : gone.without({ policy, rule });
  const about = gone.rulesOf(policy).filter((each) => rule === undefined || each.rule === rule);
  const present = gone.left(policy);
  const changes = places.map((place) => {
    const before = authorizationsOf(gone.of(place.policies));
    return { place, before, after: before.flatMap((each) => (each === present ? (rest ?? []) : each)) };
  });
  return (
    !changes.some((change) => isShownToMatter(policy, about, change, { asking, settings })) &&
    changes.every(({ place, before, after }) => asking.isSame(place, before, after))
  );
}

/** By a request of one of the rules that it is about. */
function isShownToMatter(
  policy: AuthorizationPolicy,
  rules: readonly RuleOf[],
  { place, before, after }: Change,
  { asking, settings }: Pick<Asked, 'asking'> & { readonly settings: LintRegistry['settings'] },
): boolean {
  const given = { settings, refusing: policy.provider };
  if (!asking.pay(4 * before.length)) return true;
  for (const rule of rules)
    for (const request of asking.shown(rule, [], place)) {
      if (!asking.payFor(before)) return true;
      if (isAllowed(before, request, place, given) !== isAllowed(after, request, place, given)) return true;
    }
  return false;
}
