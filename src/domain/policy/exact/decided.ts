import { CitadelError } from '../../../kernel/index.ts';
import {
  type Decision,
  decide,
  type PolicyRequest,
  type RuleReference,
  textsAt,
  type Verdict,
} from '../decide/index.ts';
import type { Policy } from '../model.ts';
import { askableProviders, type PolicyWorld } from '../world/index.ts';
import type { ExactDecision, Mark, Witness, WitnessToken } from './model.ts';
import type { Place } from './outcome.ts';
import { type AskedToken, outcomeOf, rulesReading, wordsOf } from './tokens/rules.ts';

/** What becomes of a witness at a place. */
export function decided(witness: Witness, place: Place, world: PolicyWorld): ExactDecision {
  const { verdict, step, by } = judged(witness, place, world);
  return { verdict, step, by };
}

/** The rule that marks a witness; undefined where none does, or it is refused before. */
export function ruleMarking(
  witness: Witness,
  place: Place,
  world: PolicyWorld,
  { action, dryRun }: Mark,
): RuleReference | undefined {
  const found = judged(witness, place, world);
  return dryRun ? found.dryRun.find((each) => each.action === action)?.by : found.audit[0];
}

type Judged = ExactDecision & Pick<Decision, 'audit' | 'dryRun'>;

function judged(witness: Witness, place: Place, { settings }: PolicyWorld): Judged {
  const { token } = witness;
  const { request, providers } = seenAt(place, witness);
  const isKnown = request.sourcePrincipal !== undefined;
  if ((place.mode === 'STRICT' && !isKnown) || (place.mode === 'DISABLE' && isKnown)) return refused('MTLS');
  const tcp = place.protocol === 'tcp';
  if (!tcp && place.carries === 'bytes') return refused('HTTP');
  const outcome = tcp
    ? undefined
    : token && place.tokenRules && outcomeOf(place.tokenRules, askedToken(token));
  const seen =
    outcome === 'taken'
      ? { ...request, jwt: token?.claims, spaceDelimitedClaims: wordsOf(place.tokenRules) }
      : request;
  const of = (policies: Place['policies'], asked: PolicyRequest) =>
    decide(policies, asked, {
      trustDomain: settings.trustDomain,
      trustDomainAliases: settings.trustDomainAliases,
      tcp,
      customVerdicts: new Map(
        askableProviders(settings, tcp).map((name) => [name, providers[name] ?? 'allow']),
      ),
    });
  const decision =
    token && outcome === 'taken' && isThrownAway(place, token)
      ? withoutCarrier(place.policies, seen, token, of)
      : of(place.policies, seen);
  const { verdict, step } = decision;
  // Looked at after the path, and after authorizers outside.
  if (outcome === 'refused' && !(verdict === 'deny' && (step === 'PATH' || step === 'CUSTOM')))
    return refused('TOKEN');
  return decision;
}

function isThrownAway({ tokenRules = [] }: Place, { place }: WitnessToken): boolean {
  return rulesReading(tokenRules, place)[0]?.isPassedOn === false;
}

/** Authorizers are asked before a token is taken, and its header thrown away, and what else there is after that. */
function withoutCarrier(
  policies: Place['policies'],
  asked: PolicyRequest,
  { place }: WitnessToken,
  of: (policies: Place['policies'], asked: PolicyRequest) => Decision,
): Decision {
  const first = of(policies, asked);
  if (first.verdict === 'deny' && (first.step === 'PATH' || first.step === 'CUSTOM')) return first;
  const [, carrier] = /^header (\S+)/.exec(place) ?? [];
  const { http, ...rest } = asked;
  if (carrier === undefined || !http) return first;
  const headers = Object.entries(http.headers).filter(([name]) => name.toLowerCase() !== carrier);
  const isCustom = (policy: Policy) => policy.kind === 'AuthorizationPolicy' && policy.action === 'CUSTOM';
  const later = of(
    policies.filter((policy) => !isCustom(policy)),
    { ...rest, http: { ...http, headers: Object.fromEntries(headers) } },
  );
  const ofCustom = first.dryRun.filter(({ action }) => action === 'CUSTOM');
  return { ...later, dryRun: [...ofCustom, ...later.dryRun.filter(({ action }) => action !== 'CUSTOM')] };
}

function refused(step: ExactDecision['step']): Judged {
  return { verdict: 'deny', step, by: undefined, audit: [], dryRun: [] };
}

/** Where a request is but bytes, its connection is all that is seen of it: which nobody forwards. */
function seenAt({ protocol, carries }: Place, witness: Witness): Pick<Witness, 'request' | 'providers'> {
  if (protocol !== 'tcp' || carries !== 'requests') return witness;
  const { http: _, jwt: __, ...request } = witness.request;
  return { request: { ...request, remoteIp: request.sourceIp }, providers: witness.ofConnection ?? {} };
}

function askedToken({ place, signedBy, claims }: WitnessToken): AskedToken {
  return { place, key: signedBy, issuer: textsAt(claims, ['iss']), audiences: textsAt(claims, ['aud']) };
}

/** @throws CitadelError Internal where the decision function says otherwise than was worked out */
export function mustBe(decision: ExactDecision, verdict: Verdict, witness: Witness): ExactDecision {
  if (decision.verdict !== verdict) contradiction(decision, witness);
  return decision;
}

/** @throws CitadelError Internal */
export function contradiction(said: unknown, witness: Witness): never {
  throw new CitadelError(
    'Internal',
    'what was worked out of policies is not what they decide; please report it with the policies',
    { details: JSON.stringify({ said, witness }) },
  );
}
