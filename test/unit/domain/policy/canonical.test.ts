import { describe, expect, it } from 'vitest';
import {
  canonicalPolicy,
  type Policy,
  policyHash,
  readPolicies,
} from '../../../../src/domain/policy/index.ts';
import { peer, policy } from './mesh.ts';

const rule = (...parts: readonly object[]) => policy('shop/a', { rules: parts });
const source = (given: object) => ({ from: [{ source: given }] });
const jwt = (given: object) =>
  policy('shop/a', { jwtRules: [{ issuer: 'x', ...given }] }, { kind: 'RequestAuthentication' });

describe('the hash of a policy', () => {
  it('is SHA-256 in lower-case hexadecimal, and stays the same over releases', () => {
    expect(canonicalPolicy(rule({}))).toBe(
      '{"kind":"AuthorizationPolicy","namespace":"shop","name":"a","targetRefs":[],"action":"ALLOW","dryRun":false,"rules":[{"from":[],"to":[],"when":[]}]}',
    );
    expect(policyHash(rule({}))).toBe('9006daa654b12697b70e33ee785dfd0dfeba1c0cd9fb4c8186945a64b0b15039');
  });

  it.each<[string, Policy, Policy]>([
    [
      'the order of values',
      rule(source({ principals: ['a', 'b'] })),
      rule(source({ principals: ['b', 'a'] })),
    ],
    ['a value twice', rule(source({ principals: ['a', 'a'] })), rule(source({ principals: ['a'] }))],
    [
      'the order of sources',
      rule({ from: [{ source: { principals: ['a'] } }, { source: { namespaces: ['b'] } }] }),
      rule({ from: [{ source: { namespaces: ['b'] } }, { source: { principals: ['a'] } }] }),
    ],
    [
      'the order of fields',
      rule(source({ principals: ['a'], ipBlocks: ['::1'] })),
      rule(source({ ipBlocks: ['::1'], principals: ['a'] })),
    ],
    [
      'the order of conditions',
      rule({
        when: [
          { key: 'source.ip', values: ['::1'] },
          { key: 'remote.ip', values: ['::1'] },
        ],
      }),
      rule({
        when: [
          { key: 'remote.ip', values: ['::1'] },
          { key: 'source.ip', values: ['::1'] },
        ],
      }),
    ],
    [
      'the order of a condition’s values',
      rule({ when: [{ key: 'source.ip', values: ['::1', '::2'] }] }),
      rule({ when: [{ key: 'source.ip', values: ['::2', '::1'] }] }),
    ],
    [
      'the order of labels',
      policy('shop/a', { selector: { matchLabels: { a: '1', b: '2' } } }),
      policy('shop/a', { selector: { matchLabels: { b: '2', a: '1' } } }),
    ],
    ['a default that is written', policy('shop/a', { action: 'ALLOW', rules: [] }), policy('shop/a', {})],
    [
      'the group core',
      policy('shop/a', { targetRefs: [{ group: 'core', kind: 'Service', name: 'x' }] }),
      policy('shop/a', { targetRef: { kind: 'Service', name: 'x' } }),
    ],
    [
      'a dry run that is none',
      policy('shop/a', {}, { annotations: { 'istio.io/dry-run': 'false' } }),
      policy('shop/a', {}),
    ],
    ['other annotations', policy('shop/a', {}, { annotations: { a: 'b' } }), policy('shop/a', {})],
    ['the time of creation', policy('shop/a', {}, { created: '2020-01-01T00:00:00Z' }), policy('shop/a', {})],
    [
      'the order of ports',
      peer('shop/a', 'STRICT', 'x', { portLevelMtls: { 80: {}, 9: {} } }),
      peer('shop/a', 'STRICT', 'x', { portLevelMtls: { 9: {}, 80: { mode: 'UNSET' } } }),
    ],
    ['the order of audiences', jwt({ audiences: ['a', 'b'] }), jwt({ audiences: ['b', 'a'] })],
    ['how a time is written', jwt({ timeout: '5s' }), jwt({})],
    [
      'the order of claims that are words',
      jwt({ spaceDelimitedClaims: ['a', 'b'] }),
      jwt({ spaceDelimitedClaims: ['b', 'a', 'a'] }),
    ],
    ['which name the keys’ address has', jwt({ jwksUri: 'https://k' }), jwt({ jwks_uri: 'https://k' })],
    [
      'the order of trust domains',
      rule(source({ trustDomains: ['a', 'b'] })),
      rule(source({ trustDomains: ['b', 'a'] })),
    ],
    [
      'zeros in front of a port',
      rule({ to: [{ operation: { ports: ['080'] } }] }),
      rule({ to: [{ operation: { ports: ['80'] } }] }),
    ],
  ])('does not count %s', (_, a, b) => {
    expect(canonicalPolicy(a)).toBe(canonicalPolicy(b));
    expect(policyHash(a)).toBe(policyHash(b));
  });

  it('does not count where it was written', () => {
    const text =
      '{"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "a", "namespace": "b"}}';
    const [a] = readPolicies(text, { source: 'F' }).policies;
    const [b] = readPolicies(`\n\n${text}`, { source: 'G' }).policies;
    expect(a?.meta).not.toEqual(b?.meta);
    expect(a && policyHash(a)).toBe(b && policyHash(b));
  });

  it.each<[string, Policy, Policy]>([
    ['the name', policy('shop/a', {}), policy('shop/b', {})],
    ['the namespace', policy('shop/a', {}), policy('away/a', {})],
    ['the kind', policy('shop/a', {}), policy('shop/a', {}, { kind: 'RequestAuthentication' })],
    ['the action', policy('shop/a', { rules: [{}] }), policy('shop/a', { action: 'DENY', rules: [{}] })],
    ['no rule and one that matches all', policy('shop/a', {}), rule({})],
    [
      'the order of rules, whose numbers are named',
      rule({}, source({ principals: ['a'] })),
      rule(source({ principals: ['a'] }), {}),
    ],
    ['a list and its not', rule(source({ principals: ['a'] })), rule(source({ notPrincipals: ['a'] }))],
    [
      'two values and one with a comma',
      rule(source({ principals: ['a', 'b'] })),
      rule(source({ principals: ['a,b'] })),
    ],
    [
      'one source of two and two of one',
      rule(source({ principals: ['a', 'b'] })),
      rule({ from: [{ source: { principals: ['a'] } }, { source: { principals: ['b'] } }] }),
    ],
    [
      'a dry run',
      policy('shop/a', {}, { annotations: { 'istio.io/dry-run': 'true' } }),
      policy('shop/a', {}),
    ],
    ['no selector and one', policy('shop/a', { selector: { matchLabels: { a: '' } } }), policy('shop/a', {})],
    ['the mode', peer('shop/a', 'STRICT'), peer('shop/a', 'DISABLE')],
    [
      'the mode of a port',
      peer('shop/a', 'STRICT', 'x', { portLevelMtls: { 80: {} } }),
      peer('shop/a', 'STRICT', 'x', { portLevelMtls: { 81: {} } }),
    ],
    [
      'the places of a token, tried in turn',
      jwt({ fromParams: ['a', 'b'] }),
      jwt({ fromParams: ['b', 'a'] }),
    ],
    ['the issuer', jwt({}), jwt({ issuer: 'y' })],
    ['claims that are words', jwt({}), jwt({ spaceDelimitedClaims: ['a'] })],
    [
      'a trust domain and its not',
      rule(source({ trustDomains: ['a'] })),
      rule(source({ notTrustDomains: ['a'] })),
    ],
  ])('counts %s', (_, a, b) => {
    expect(policyHash(a)).not.toBe(policyHash(b));
  });
});
