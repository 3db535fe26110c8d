import { expect, test } from 'vitest';
import { describeLocation, wantedKeySets } from '../../../../src/domain/jwks/index.ts';
import { policy } from '../policy/mesh.ts';

const rules = (id: string, ...jwtRules: readonly object[]) =>
  policy(id, { jwtRules }, { kind: 'RequestAuthentication' });

test('what policies want fetched: each once, with the longest time that is granted', () => {
  const uri = 'https://id.example/keys';
  const wanted = wantedKeySets([
    rules('a/x', { issuer: 'https://one.example', jwksUri: uri, timeout: '1s' }),
    rules(
      'b/y',
      { issuer: 'https://two.example', jwksUri: uri, timeout: '3s' },
      { issuer: 'https://id.example' },
    ),
    rules('b/z', { issuer: 'i', jwks: '{"keys": [{"kty": "oct", "k": "AAAA"}]}' }),
    policy('b/z', { rules: [] }),
  ]);
  expect([...wanted.values()].map(({ namespaces }) => [...namespaces])).toEqual([['a', 'b'], ['b']]);
  expect([...wanted.values()].map(({ location, timeout }) => [describeLocation(location), timeout])).toEqual([
    [uri, 3_000],
    ['the discovery document of https://id.example', 5_000],
  ]);
});

test('an issuer of control characters is told in one line', () => {
  const [wanted] = wantedKeySets([rules('a/x', { issuer: 'a\n\u001B[31mb' })]).values();
  expect(wanted && describeLocation(wanted.location)).toBe('the discovery document of a [31mb');
});
