import { describe, expect, it } from 'vitest';
import {
  type ConditionKey,
  conditionSubject,
  parseConditionKey,
} from '../../../../../src/domain/policy/index.ts';
import { faults } from './parts.ts';

const judge = (key: string, ...values: readonly string[]) =>
  faults('AuthorizationPolicy', { rules: [{ when: [{ key, values }] }] });

describe('a condition', () => {
  it.each<[string, string, ConditionKey]>([
    ['source.ip', '10.0.0.0/8', { attribute: 'source.ip', names: [] }],
    ['remote.ip', '::1', { attribute: 'remote.ip', names: [] }],
    ['source.namespace', 'shop*', { attribute: 'source.namespace', names: [] }],
    ['source.serviceAccount', 'shop/web', { attribute: 'source.serviceAccount', names: [] }],
    ['source.principal', '*/sa/web', { attribute: 'source.principal', names: [] }],
    ['source.trustDomain', 'example.org', { attribute: 'source.trustDomain', names: [] }],
    [
      'experimental.envoy.filters.network.mysql_proxy[db.table]',
      '[update]',
      {
        attribute: 'experimental.envoy.filters.*',
        names: ['envoy.filters.network.mysql_proxy', 'db.table'],
      },
    ],
    ['request.auth.principal', '*', { attribute: 'request.auth.principal', names: [] }],
    ['request.auth.audiences', 'a', { attribute: 'request.auth.audiences', names: [] }],
    ['request.auth.presenter', 'a', { attribute: 'request.auth.presenter', names: [] }],
    ['request.auth.claims[iss]', 'a', { attribute: 'request.auth.claims', names: ['iss'] }],
    ['request.auth.claims[a][b]', 'a', { attribute: 'request.auth.claims', names: ['a', 'b'] }],
    ['request.auth.claims[https://x/y]', 'a', { attribute: 'request.auth.claims', names: ['https://x/y'] }],
    ['request.headers[User-Agent]', 'a*', { attribute: 'request.headers', names: ['User-Agent'] }],
    ['request.headers[:authority]', 'a', { attribute: 'request.headers', names: [':authority'] }],
    ['destination.ip', '10.0.0.1', { attribute: 'destination.ip', names: [] }],
    ['destination.port', '80', { attribute: 'destination.port', names: [] }],
    ['connection.sni', '*.example.com', { attribute: 'connection.sni', names: [] }],
  ])('knows %s', (key, value, expected) => {
    expect(judge(key, value)).toBe('');
    expect(parseConditionKey(key)).toEqual(expected);
    // What is taken here must be known to those who decide and render: a policy must not make them throw.
    expect(() => conditionSubject(key)).not.toThrow();
  });

  it.each([
    [
      'an unknown key',
      'source.ipaddress',
      'a',
      'spec.rules[0].when[0].key: unknown attribute "source.ipaddress"',
    ],
    ['a slip', 'source.namespaces', 'a', 'did you mean source.namespace?'],
    ['a slip before brackets', 'request.header[a]', 'a', 'did you mean request.headers[a]?'],
    ['a key of nothing known', 'x', 'a', 'known are source.ip, remote.ip'],
    ['another case', 'source.IP', 'a', 'did you mean source.ip?'],
    ['a header without a name', 'request.headers', 'a', 'names no header; write request.headers[NAME]'],
    ['an empty name of a header', 'request.headers[]', 'a', 'names no header'],
    ['a header in a header', 'request.headers[a][b]', 'a', 'names no header'],
    ['a name that no header has', 'request.headers[a b]', 'a', 'can be no name of a header'],
    ['an open bracket', 'request.headers[a', 'a', 'unknown attribute'],
    ['a claim without a name', 'request.auth.claims', 'a', 'names no claim'],
    ['an empty name within a claim', 'request.auth.claims[a][]', 'a', 'names no claim'],
    ['something after a claim', 'request.auth.claims[a]b', 'a', 'unknown attribute'],
    ['parts of what has none', 'source.ip[a]', '10.0.0.1', 'source.ip has no parts'],
    ...[
      'experimental.envoy.filters.a',
      'experimental.envoy.filters.a[]',
      'experimental.envoy.filters.a[b][c]',
      'experimental.envoy.filters.[b]',
      'experimental.envoy.filters[b]',
      'experimental.other[b]',
    ].map((key): [string, string, string, string] => [
      `what is no metadata of a filter, ${key}`,
      key,
      'a',
      'names no metadata of a filter; write experimental.envoy.filters.FILTER[NAME]',
    ]),
    ...['[]', '[[a]]', '[[a]', '[a]]'].map((value): [string, string, string, string] => [
      `metadata of no list, ${value}`,
      'experimental.envoy.filters.a[b]',
      value,
      'asks for nothing in a list; write one pair of brackets',
    ]),
    [
      'the destination’s labels',
      'destination.labels[app]',
      'a',
      'destination.labels cannot be matched; the policy’s own selector',
    ],
    [
      'the destination’s namespace',
      'destination.namespace',
      'a',
      'cannot be matched; the policy’s own metadata.namespace',
    ],
    ['the destination’s user', 'destination.user', 'a', 'cannot be matched'],
    ['more than a trust domain', 'source.trustDomain', 'a/b', 'values[0]: "a/b" is more than a trust domain'],
    [
      'an address that is none',
      'destination.ip',
      'a',
      'spec.rules[0].when[0].values[0]: "a" is no IP address',
    ],
    ['a port that is none', 'destination.port', '65536', 'values[0]: "65536" is no port'],
    [
      'a wildcard for service accounts',
      'source.serviceAccount',
      '*',
      'values[0]: service accounts know no wildcards',
    ],
    ['an empty value', 'source.namespace', '', 'values[0]: must not be empty'],
    ['an empty key', '', 'a', 'key: must not be empty'],
  ])('refuses %s', (_, key, value, expected) => {
    expect(judge(key, value)).toContain(expected);
  });

  it('of service accounts names no more than a source may', () => {
    const some = (length: number) => Array.from({ length }, (_, index) => `a${index}`);
    expect(judge('source.serviceAccount', ...some(16))).toBe('');
    expect(judge('source.serviceAccount', ...some(17))).toContain('values: must not hold more than 16');
    expect(judge('source.namespace', ...some(17))).toBe('');
  });

  it('needs values or notValues, and checks both', () => {
    const when = (condition: object) => faults('AuthorizationPolicy', { rules: [{ when: [condition] }] });
    expect(when({ key: 'source.ip' })).toContain('at least one of values and notValues must be there');
    expect(when({ values: ['a'] })).toContain('spec.rules[0].when[0].key: is required');
    expect(when({ key: 'source.ip', notValues: ['a'] })).toContain('notValues[0]: "a" is no IP address');
    expect(when({ key: 'source.ip', values: [], notValues: ['::1'] })).toContain('values: must not be empty');
    expect(when({ key: 'source.ip', notValues: ['::1'] })).toBe('');
  });
});
