import { once } from '../../../kernel/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import { comparedParts, isAmbiguous, type RequestPart, type RuleReference } from '../decide/index.ts';
import type { AuthorizationAction, AuthorizationPolicy, MutualTlsMode, Policy } from '../model.ts';
import { type RecordedFacts, recordedFacts } from './facts.ts';
import { every, isUnknown, not, some, type Trilean, type Unknown, unknown } from './kleene.ts';
import { matchRules, type RulesMatch } from './rules.ts';

/** Where a recorded call went, under one world's policies. */
export interface Judgement {
  /** All that hold for the workload, of every kind. */
  readonly policies: readonly Policy[];
  readonly mode: Exclude<MutualTlsMode, 'UNSET'>;
  readonly tcp: boolean;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly providers: ReadonlySet<string>;
}

/** What was made of tokens: `none` are looked at; or as when the call was recorded; or otherwise. */
export type TokenRules = 'none' | 'as-recorded' | 'changed';

/** `TLS`: which connections are taken. The others as `decide` has them, and `JWT` for a token that is refused. */
export type ReplayStep = 'TLS' | 'PATH' | 'CUSTOM' | 'JWT' | 'DENY' | 'ALLOW' | 'default';

/** What becomes of a recorded call. */
export interface ReplayedDecision {
  readonly verdict: 'allow' | 'deny' | 'unknown';
  /** What surely decides; undefined where nothing does. */
  readonly step: ReplayStep | undefined;
  readonly by: RuleReference | undefined;
  /** What would have to be known; empty unless the verdict is unknown. */
  readonly lacks: readonly string[];
}

export interface Evaluation extends ReplayedDecision {
  /** Whether tokens are asked about: neither the connection, nor the path, nor an authorizer has refused it before. */
  readonly comesToTokens: Trilean;
}

/** How it was when a call was recorded. */
export interface Recorded {
  readonly mode: Judgement['mode'];
  readonly comesToTokens: Trilean;
}

interface Refusal {
  readonly step: ReplayStep;
  readonly refused: Trilean;
  readonly by?: RuleReference | undefined;
}

/**
 * Decides a recorded call again, as `decide` would: by Kleene's logic, so that what is not recorded is never guessed, and
 * what does not hang on it is decided all the same.
 * @param recorded how it was when it was recorded, where that is another world
 */
export function evaluate(
  record: DecisionRecord,
  judgement: Judgement,
  tokenRules: TokenRules,
  recorded?: Recorded,
): Evaluation {
  const { mode } = judgement;
  const lack = unknownConnection(record, mode, recorded?.mode ?? mode);
  if (lack !== undefined) return undecided(unknown(lack), unknown(lack));
  const { tcp, trustDomain, trustDomainAliases, providers } = judgement;
  const { custom, deny, allow, compared } = prepared(judgement);
  const context = { trustDomain, trustDomainAliases, tcp };
  // Authorizers are asked before tokens are looked at.
  const early = recordedFacts(record, { ...context, token: 'none' });
  const facts = recordedFacts(record, { ...context, token: tokenRules === 'none' ? 'none' : 'unknown' });

  const first: readonly Refusal[] = [
    { step: 'TLS', refused: mode === 'STRICT' && record.transport === 'plaintext' },
    { step: 'PATH', refused: pathRefused(compared, facts) },
    ...customRefusals(custom, early, providers),
  ];
  const comesToTokens = not(some(first.map(({ refused }) => refused)));
  const token = tokenRefused(record, tokenRules, recorded?.comesToTokens ?? comesToTokens);
  const denied = matchRules(deny, facts);
  const allowed: RulesMatch =
    allow.length === 0 ? { matches: true, by: undefined } : matchRules(allow, facts);
  const refusals: readonly Refusal[] = [
    ...first,
    { step: 'JWT', refused: token },
    { step: 'DENY', refused: denied.matches, by: denied.by },
    { step: 'ALLOW', refused: not(allowed.matches) },
  ];
  const refused = some(refusals.map((each) => each.refused));
  if (isUnknown(refused)) return undecided(refused, comesToTokens);
  if (!refused) {
    const step = allow.length === 0 ? 'default' : 'ALLOW';
    return { verdict: 'allow', step, by: allowed.by, lacks: [], comesToTokens };
  }
  const sure = refusals.find((each) => each.refused === true);
  return { verdict: 'deny', step: sure?.step, by: sure?.by, lacks: [], comesToTokens };
}

/** What is worked out once for all records. */
const prepared = once(({ policies }: Judgement) => {
  const enforced = policies.filter(
    (policy): policy is AuthorizationPolicy => policy.kind === 'AuthorizationPolicy' && !policy.dryRun,
  );
  const of = (action: AuthorizationAction) => enforced.filter((policy) => policy.action === action);
  return {
    custom: of('CUSTOM'),
    deny: of('DENY'),
    allow: of('ALLOW'),
    compared: comparedParts(enforced),
  };
});

function undecided(lacks: Unknown, comesToTokens: Trilean): Evaluation {
  return { verdict: 'unknown', step: undefined, by: undefined, lacks: [...lacks].toSorted(), comesToTokens };
}

/**
 * What is not known of a connection that would be another one: its caller would then have proved who it is, or not have.
 * Callers with a proxy call in plaintext where mutual TLS is off, and by mutual TLS where it is not.
 */
function unknownConnection(
  { transport, refusedBy, lacks }: DecisionRecord,
  mode: Judgement['mode'],
  recordedMode: Judgement['mode'],
): string | undefined {
  // Where both kinds are taken it is the same; nobody knows of the caller either.
  if (lacks.includes('transport'))
    return mode === 'PERMISSIVE' && recordedMode === 'PERMISSIVE' ? undefined : 'transport';
  switch (transport) {
    case 'mtls':
      return mode === 'DISABLE' ? 'how the caller connects' : undefined;
    case 'other-tls':
      return refusedBy === 'connection' || mode === 'STRICT' ? 'the handshake' : undefined;
    case 'plaintext':
      return recordedMode === 'DISABLE' && mode !== 'DISABLE' ? 'how the caller connects' : undefined;
  }
}

function pathRefused(compared: ReadonlySet<RequestPart>, facts: RecordedFacts): Trilean {
  if (facts.tcp) return false;
  return some(
    [...compared].map((part) => {
      const lack = facts.lacking({ kind: `request.${part}` });
      return lack === undefined ? isAmbiguous(part, facts.http, facts.http.path) : unknown(lack);
    }),
  );
}

/** Providers that are not there refuse; what the others say of a call is not recorded. */
function customRefusals(
  policies: readonly AuthorizationPolicy[],
  facts: RecordedFacts,
  providers: ReadonlySet<string>,
): readonly Refusal[] {
  const isKnown = ({ provider }: AuthorizationPolicy) => provider !== undefined && providers.has(provider);
  const lost = matchRules(
    policies.filter((policy) => !isKnown(policy)),
    facts,
  );
  const asked = [...providers].map((name): Refusal => {
    const { matches } = matchRules(
      policies.filter(({ provider }) => provider === name),
      facts,
    );
    return { step: 'CUSTOM', refused: every([matches, unknown(`authorizer ${name}`)]) };
  });
  return [{ step: 'CUSTOM', refused: lost.matches, by: lost.by }, ...asked];
}

function tokenRefused({ decision, refusedBy }: DecisionRecord, rules: TokenRules, came: Trilean): Trilean {
  if (rules === 'none') return false;
  if (rules === 'changed') return unknown('token');
  if (decision === 'allowed') return false;
  if (refusedBy === 'token') return true;
  // Who was refused by policies after his token was looked at has had a good one, or none.
  return refusedBy === 'policies' && came === true ? false : unknown('token');
}
