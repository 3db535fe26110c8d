import type { PolicyRequest } from '../../decide/index.ts';
import type { RuleOf } from '../../exact/index.ts';
import type { AuthorizationPolicy } from '../../model.ts';
import type { Remark } from '../context.ts';
import type { Asking } from './asking.ts';
import type { Gone } from './gone.ts';
import type { Place } from './places.ts';
import { policiesText, rulesText, witnessAt } from './words.ts';

/** Why a rule decides nothing, where it does not. */
export interface Reason {
  readonly text: string;
  /** Something that it matches, and that others decide. */
  readonly witness: Remark['witness'];
}

export interface Asked {
  readonly asking: Asking;
  readonly gone: Gone;
  readonly places: readonly Place[];
}

/** A rule that is left, of some policies, that matches a request. */
function matching(
  policies: readonly AuthorizationPolicy[],
  place: Place,
  { asking, gone }: Pick<Asked, 'asking' | 'gone'>,
  self?: RuleOf,
): (request: PolicyRequest) => RuleOf | undefined {
  const rules = policies
    .flatMap((policy) => gone.rulesOf(policy))
    .filter(({ policy, rule }) => policy !== self?.policy || rule !== self.rule);
  return (request) => rules.find((each) => asking.matches(each, request, place));
}

/**
 * The rules of DENY policies that together take all that a rule of an ALLOW matches, in each place where it matches
 * anything; undefined where they do not.
 * @param one as it stands in its policy, or narrowed
 */
export function deniedBy(
  one: RuleOf,
  { asking, gone, places }: Asked,
): { readonly by: readonly RuleOf[]; readonly witness: Remark['witness'] } | undefined {
  const by = new Map<string, RuleOf>();
  let witness: Remark['witness'];
  for (const place of places) {
    const denying = place.policies.filter(({ action }) => action === 'DENY');
    const found = asking.covering(one, place, matching(denying, place, { asking, gone }));
    if (found === 'unknown' || !isList(found)) return undefined;
    const [first] = found;
    if (!first) continue;
    for (const each of found) by.set(rulesText([each], one.policy), each);
    const shown = witness ? 'nothing' : asking.beside(one, [], place);
    if (typeof shown !== 'string') witness = witnessAt(shown.request, place);
  }
  return by.size === 0 ? undefined : { by: [...by.values()], witness };
}

function isList(found: unknown): found is readonly RuleOf[] {
  return Array.isArray(found);
}

/** Why a rule without effect has none, that neither others of its scope nor DENY policies cover. */
export function reasonOf(one: RuleOf, { asking, gone, places }: Asked): Reason {
  const { action } = one.policy;
  const counting = action === 'ALLOW' ? ['DENY', 'ALLOW'] : [action];
  const others = new Map<string, RuleOf>();
  let witness: Remark['witness'];
  let isLeft = false;
  for (const place of places) {
    const said = counting.flatMap((each) =>
      place.policies.filter((other) => other.action === each && other.provider === one.policy.provider),
    );
    const found = asking.covering(one, place, matching(said, place, { asking, gone }, one));
    if (found === 'unknown') return unexplained;
    if (isList(found)) {
      for (const each of found) others.set(rulesText([each], one.policy), each);
      continue;
    }
    witness ??= witnessAt(found.request, place);
    isLeft = true;
  }
  const rules = [...others.values()];
  if (isLeft) return { text: leftText(action), witness };
  if (rules.length === 0) return { text: 'no call that can arrive there matches it', witness };
  const denying = rules.filter(({ policy }) => policy.action !== action);
  const same = rules.filter(({ policy }) => policy.action === action);
  return {
    text: [
      ...(denying.length > 0
        ? [`${policiesText(denying)} ${denying.length > 1 ? 'deny' : 'denies'} a part of what it matches`]
        : []),
      `${rulesText(same, one.policy)} ${same.length > 1 ? 'match' : 'matches'} ${denying.length > 0 ? 'the rest' : 'all of it'}`,
    ].join(', and '),
    witness,
  };
}

const unexplained: Reason = { text: 'others decide all that it matches', witness: undefined };

function leftText(action: AuthorizationPolicy['action']): string {
  if (action === 'ALLOW') return 'what it matches is refused before an ALLOW is looked at';
  const what = action === 'CUSTOM' ? 'the authorizer is asked about is' : 'it denies is';
  return `what ${what} let in by no ALLOW, or denied by others as well`;
}
