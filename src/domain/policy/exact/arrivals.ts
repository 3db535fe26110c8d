import { conditionSubject } from '../decide/index.ts';
import type { Policy } from '../model.ts';
import { policyKey } from '../read/index.ts';
import type { PortProtocol, TokensUnread, Undecided } from './model.ts';
import type { Place } from './outcome.ts';
import { type Group, tokenRulesOf } from './places.ts';
import { readTokenHeaders, tokenChange } from './tokens/model.ts';

/** What arrives at the ports of a group, as far as it is decided in one way in each world. */
export interface Arrival {
  readonly protocol: PortProtocol;
  readonly before: Place;
  readonly after: Place;
}

/**
 * What is to be compared. Where one world reads a port as HTTP and the other one does not, that is two things: requests,
 * which the other one takes as bytes, by what it knows of their connection; and all other bytes, which none but the other
 * one takes.
 * @returns why nothing can be told, and of which policies
 */
export function arrivalsOf({ before, after, members }: Group): readonly Arrival[] | Undecided {
  const beyond = (reason: string, policies: readonly string[] = []): Undecided => ({
    places: members,
    protocol: after.protocol,
    policies,
    reason,
  });
  if (before.proxied !== after.proxied) return beyond('there is a proxy in one of both alone');
  if (before.protocol === 'tcp' && after.protocol === 'tcp') return [{ protocol: 'tcp', before, after }];
  const isMixed = before.protocol !== after.protocol;
  const reading = namesOf(
    [before, after].filter(({ protocol }) => isMixed && protocol === 'tcp'),
    readsMetadata,
  );
  if (reading.length > 0)
    return beyond(
      'the port is read as HTTP in one of both alone, and policies look at what filters leave, which is another thing there',
      reading,
    );
  const requests = withTokenRules(before, after);
  if (typeof requests === 'string')
    return beyond(
      requests,
      namesOf([before, after], ({ kind }) => kind === 'RequestAuthentication'),
    );
  const [was, is] = requests;
  if (!isMixed) return [{ protocol: 'http', before: was, after: is }];
  return [
    { protocol: 'http', before: { ...was, carries: 'requests' }, after: { ...is, carries: 'requests' } },
    { protocol: 'tcp', before: { ...before, carries: 'bytes' }, after: { ...after, carries: 'bytes' } },
  ];
}

/** What is taken for a token in both; where that is the same, claims are free, but where it is nothing, there are none. */
function withTokenRules(before: Place, after: Place): readonly [Place, Place] | string {
  const of = ({ protocol, policies }: Place) => (protocol === 'tcp' ? [] : policies);
  const [was, is] = [tokenRulesOf(of(before)), tokenRulesOf(of(after))];
  const isSame = was === is;
  if (isSame && was === '')
    return [
      { ...before, tokenRules: [] },
      { ...after, tokenRules: [] },
    ];
  if (isSame && !readTokenHeaders(of(before), of(after))) return [before, after];
  const change = tokenChange(of(before), of(after));
  // Claims and headers are then all that can be, and some that cannot.
  if (typeof change === 'string')
    return isSame ? [before, after] : `which tokens are taken changes, and ${change}`;
  const keys = [...new Set([...change.before, ...change.after].flatMap((rule) => rule.keys))];
  const carriers = change.carriers.length > 0 && { carriers: { headers: change.carriers, keys } };
  return [
    { ...before, tokenRules: change.before, ...carriers },
    { ...after, tokenRules: change.after, ...carriers },
  ];
}

/** A place by itself: where nobody's tokens are taken, nobody has claims. */
export function withoutClaims(place: Place): Place {
  return takesTokens(place) ? place : { ...place, tokenRules: [] };
}

function takesTokens({ protocol, policies }: Place): boolean {
  return protocol === 'http' && tokenRulesOf(policies) !== '';
}

/** What of policies is asked in vain where they are compared, since no request has a token that is looked at. */
export function askedInVain({ before, after, members }: Group): TokensUnread | undefined {
  const sides = [before, after];
  if (sides.some(takesTokens) || sides.every(({ protocol }) => protocol === 'tcp')) return undefined;
  const policies = namesOf(sides, asksOfTokens);
  return policies.length === 0 ? undefined : { places: members, policies };
}

function asksOfTokens(policy: Policy): boolean {
  const kinds: readonly string[] = [
    'claim',
    'request.auth.principal',
    'request.auth.audiences',
    'request.auth.presenter',
  ];
  return (
    policy.kind === 'AuthorizationPolicy' &&
    policy.rules.some(
      ({ from, when }) =>
        from.some((each) => each.requestPrincipals.length + each.notRequestPrincipals.length > 0) ||
        when.some(({ key }) => kinds.includes(conditionSubject(key).kind)),
    )
  );
}

function namesOf(places: readonly Place[], chosen: (policy: Policy) => boolean): readonly string[] {
  const policies = places.flatMap((place) => place.policies).filter(chosen);
  return [...new Set(policies.map(({ kind, meta }) => policyKey({ ...meta, kind })))];
}

function readsMetadata(policy: Policy): boolean {
  return (
    policy.kind === 'AuthorizationPolicy' &&
    !policy.dryRun &&
    policy.rules.some(({ when }) => when.some(({ key }) => conditionSubject(key).kind === 'metadata'))
  );
}
