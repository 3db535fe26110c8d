import type { AuthorizationPolicy, PolicyWorld, Verdict } from '../../src/domain/policy/index.ts';
import {
  aimedConnection,
  Coverage,
  call,
  claimSets,
  connections,
  policySet,
  type Random,
  words,
} from '../oracle/generate/index.ts';
import { connectionRequest, policyRequest } from '../oracle/policy-request.ts';
import type { Trials } from './check.ts';
import { edits } from './edits.ts';
import { applied } from './pairs.ts';
import type { Trial } from './place.ts';
import { isWritable } from './small.ts';
import { believing, smallWorld } from './worlds.ts';

export interface LargePair {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
  readonly edit: string;
  /** So many requests aimed at what the policies say, spelled in every way, with tokens and headers that hang together. */
  readonly trials: Trials;
}

const ports = [8080, 9000];

/** Policies with everything in them, and an edit; and requests as attackers and real callers make them. */
export function largePair(random: Random, among: readonly string[], perPlace: number): LargePair {
  const coverage = new Coverage();
  const { policies, bases } = policySet({ random, ports: ports.map(String), coverage }, 'http');
  const written = policies.map(inShop).filter(isWritable);
  const names = random.list(1, 3, () => random.pick(among));
  const edited = names.reduce<readonly AuthorizationPolicy[]>(
    (some, name) => applied(edits[name], random, some),
    written,
  );
  const tokens = claimSets(random, 40).map((claims) => ({ claims }));
  const claims = tokens.map((each) => each.claims);
  const trials: Trials = (_, place) => ({
    whole: false,
    *trials() {
      const all = connections(random, [place.port], 24);
      for (let count = 0; count < perPlace; count += 1) {
        const request =
          place.protocol === 'http'
            ? policyRequest(call(random, bases, all, claims, coverage), tokens)
            : connectionRequest(aimedConnection(random, bases, all));
        const providers: Record<string, Verdict> = {};
        for (const name of Object.keys(words.providers)) providers[name] = random.pick(['allow', 'deny']);
        yield { request, providers } satisfies Trial;
      }
    },
  });
  const settings = settingsOf(smallWorld([]));
  return {
    before: { ...smallWorld([...written, believing('root')]), settings },
    after: { ...smallWorld([...edited, believing('root')]), settings },
    edit: names.join(', '),
    trials,
  };
}

function settingsOf({ settings }: PolicyWorld): PolicyWorld['settings'] {
  return {
    ...settings,
    trustDomain: words.trustDomain,
    trustDomainAliases: words.trustDomainAliases,
    authorizationProviders: Object.keys(words.providers).map((name) => ({ name })),
  };
}

function inShop(policy: AuthorizationPolicy): AuthorizationPolicy {
  return { ...policy, meta: { ...policy.meta, namespace: 'shop' } };
}
