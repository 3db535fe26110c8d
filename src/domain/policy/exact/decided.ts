import { CitadelError } from '../../../kernel/index.ts';
import {
  type Decision,
  decide,
  type HttpAttributes,
  type PolicyRequest,
  type RuleReference,
  textsAt,
  type Verdict,
} from '../decide/index.ts';
import type { Policy } from '../model.ts';
import { askableProviders, type PolicyWorld } from '../world/index.ts';
import type { ExactDecision, Mark, Witness, WitnessToken } from './model.ts';
import type { Place } from './outcome.ts';
import { headerOfClaim, madeHeaders } from './tokens/made-headers.ts';
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
  const left = headersLeft(place, seen, outcome === 'taken' ? token : undefined);
  const decision = left ? decidedInTurn(place.policies, seen, left, of) : of(place.policies, seen);
  const { verdict, step } = decision;
  // Looked at after the path, and after authorizers outside.
  if (outcome === 'refused' && !(verdict === 'deny' && (step === 'PATH' || step === 'CUSTOM')))
    return refused('TOKEN');
  return decision;
}

/** What the filter for tokens leaves of headers; undefined where that is what came. */
function headersLeft(
  { tokenRules = [], protocol }: Place,
  { http }: PolicyRequest,
  taken: WitnessToken | undefined,
): HttpAttributes['headers'] | undefined {
  if (protocol === 'tcp' || !http) return undefined;
  const made = madeHeaders(tokenRules);
  const isKept = taken === undefined || rulesReading(tokenRules, taken.place)[0]?.isPassedOn === true;
  const [, carrier] = /^header (\S+)/.exec(taken?.place ?? '') ?? [];
  const goes = new Set([...made.keys(), ...(isKept || carrier === undefined ? [] : [carrier])]);
  if (goes.size === 0) return undefined;
  const stays = Object.entries(http.headers).filter(([name]) => !goes.has(name.toLowerCase()));
  const outputs = [...made].map(
    ([name, claim]) => [name, headerOfClaim(taken?.claims ?? {}, claim)] as const,
  );
  return Object.fromEntries([...stays, ...outputs.filter(([, values]) => values.length > 0)]);
}

/** Authorizers are asked before the filter for tokens, and what else there is behind it. */
function decidedInTurn(
  policies: Place['policies'],
  asked: PolicyRequest,
  headers: HttpAttributes['headers'],
  of: (policies: Place['policies'], asked: PolicyRequest) => Decision,
): Decision {
  const first = of(policies, asked);
  const { http, ...rest } = asked;
  if (!http || (first.verdict === 'deny' && (first.step === 'PATH' || first.step === 'CUSTOM'))) return first;
  const isCustom = (policy: Policy) => policy.kind === 'AuthorizationPolicy' && policy.action === 'CUSTOM';
  const later = of(
    policies.filter((policy) => !isCustom(policy)),
    { ...rest, http: { ...http, headers } },
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
