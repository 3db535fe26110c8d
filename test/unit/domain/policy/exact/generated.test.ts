import { expect, test } from 'vitest';
import { normalizePath } from '../../../../../src/domain/policy/decide/index.ts';
import { compareWorlds } from '../../../../../src/domain/policy/index.ts';
import { words } from '../../../../oracle/generate/index.ts';
import { httpPort, pairOf, tcpPort, verdictOf } from './generated.ts';
import { isInRegion } from './membership.ts';

/** Each a pair of worlds, and so many requests that are aimed at it. */
const seeds = Array.from({ length: 120 }, (_, seed) => seed);
const calls = 40;

test('of random worlds each request is decided as the comparison says', { timeout: 120_000 }, () => {
  const outcomes = { same: 0, different: 0, undecided: 0 };
  let contradictions = 0;
  for (const seed of seeds) {
    const { before, after, policies, requests } = pairOf(seed, calls);
    const found = compareWorlds(before, after);
    outcomes[found.outcome] += 1;
    for (const sent of requests) {
      const port = sent.destinationPort === tcpPort ? tcpPort : httpPort;
      const request = port === tcpPort ? { ...sent, http: undefined } : sent;
      const of = (at: 0 | 1) => verdictOf(policies[at], request, words.providers);
      const [was, is] = [of(0), of(1)];
      const expected = was === is ? undefined : is === 'allow' ? 'allowed' : 'denied';
      // What has no path of any form is refused, whatever the policies.
      const isPath = request.http === undefined || normalizePath(request.http.path) !== undefined;
      const told = new Set(
        found.differences
          .filter(({ places }) => places.some((place) => place.port === port))
          .filter(({ region }) => isInRegion(region, request, words.providers))
          .map(({ becomes }) => becomes),
      );
      const said = isPath ? [...told].join() : '';
      if (found.complete ? said !== (expected ?? '') : expected !== undefined && found.outcome === 'same')
        contradictions += 1;
      if (contradictions === 1)
        expect({ seed, request, said, policies }, 'the first contradiction').toEqual(expected);
    }
  }
  expect(contradictions).toBe(0);
  expect(outcomes.undecided).toBe(0);
  expect(outcomes.same).toBeGreaterThan(20);
  expect(outcomes.different).toBeGreaterThan(40);
});
