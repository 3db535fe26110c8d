import type { AuthorizationPolicy, PolicyWorld } from '../../src/domain/policy/index.ts';
import type { Random } from '../oracle/generate/index.ts';
import { type Dimension, type Draft, ofConnection, ofHttp, ofProviders } from './dimensions.ts';
import { mentionsOf } from './mentions.ts';
import type { Place, Trial } from './place.ts';

export interface Universe {
  readonly size: number;
  /** Whether every combination of all values is among the trials. */
  readonly whole: boolean;
  trials(): Generator<Trial>;
}

/**
 * All requests that can be made of values around what policies say, of each attribute that they speak of; of the others
 * one value each, drawn by chance.
 * @param most how many requests; of what would be more, values are left out by chance
 */
export function universeFor(
  policies: readonly AuthorizationPolicy[],
  world: PolicyWorld,
  place: Place,
  { random, most }: { readonly random: Random; readonly most: number },
): Universe {
  const mentions = mentionsOf(policies);
  const dimensions = [
    ...ofConnection(mentions, world),
    ...(place.protocol === 'http' ? ofHttp(mentions) : []),
    ...ofProviders(policies, world, 'providers'),
    ...(place.isMixed ? ofProviders(policies, world, 'ofConnection') : []),
  ];
  const { kept, whole } = thinned(dimensions, random, most);
  const base = baseDraft(random, place.port);
  return {
    whole,
    size: kept.reduce((product, { choices }) => product * choices.length, 1),
    *trials() {
      for (const draft of combined(base, kept)) yield trialOf(draft, place);
    },
  };
}

function* combined(draft: Draft, [first, ...rest]: readonly Dimension[]): Generator<Draft> {
  if (!first) yield draft;
  else for (const change of first.choices) yield* combined(change(draft), rest);
}

/** Of one dimension; of more, one at a time would take too long to be let go. */
const mostChoices = 4096;

function thinned(dimensions: readonly Dimension[], random: Random, most: number) {
  const kept = dimensions.map(({ name, choices }) => ({ name, choices: [...choices] }));
  const size = () => kept.reduce((product, { choices }) => product * choices.length, 1);
  let whole = true;
  for (const each of kept) {
    const step = Math.ceil(each.choices.length / mostChoices);
    if (step < 2) continue;
    whole = false;
    each.choices = each.choices.filter((_, at) => at % step === 0);
  }
  while (size() > most) {
    whole = false;
    const [largest] = kept.toSorted((a, b) => b.choices.length - a.choices.length);
    largest?.choices.splice(random.int(largest.choices.length), 1);
  }
  return { kept, whole };
}

function trialOf(draft: Draft, place: Place): Trial {
  const { rest, method, path, host, headers, providers } = draft;
  const http = place.protocol === 'http' ? { http: { method, path, host, headers } } : {};
  // What is TLS of its own goes another way where HTTP is read, and is not asked about.
  const known = place.isMixed && rest.sourcePrincipal === undefined ? { sni: undefined } : {};
  return { request: { ...rest, ...known, ...http }, providers, ofConnection: draft.ofConnection };
}

/** What nobody speaks of must make no difference, odd as it may be. */
function baseDraft(random: Random, destinationPort: number): Draft {
  return {
    rest: {
      sourcePrincipal: random.pick([undefined, 'spiffe://mesh.test/ns/shop/sa/front']),
      sourceIp: random.pick(['10.0.0.1', '2001:db8::1']),
      remoteIp: random.pick(['10.0.0.1', '203.0.113.9']),
      destinationIp: '10.9.9.9',
      destinationPort,
      sni: random.pick([undefined, 'shop']),
      jwt: random.pick([undefined, { iss: 'i', sub: 's', role: 'x' }]),
    },
    method: random.pick(['GET', 'get', 'POST']),
    path: random.pick(['/', '/a;b', '/a/b?q']),
    host: random.pick(['cart.shop', 'u@cart.shop']),
    headers: random.pick<Draft['headers']>([{}, { 'x-some': ['1', '2'] }]),
    providers: {},
    ofConnection: {},
  };
}
