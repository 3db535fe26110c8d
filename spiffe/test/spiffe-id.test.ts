import { array, assert, constantFrom, oneof, property, string, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forWorkload, SpiffeError, SpiffeId, TrustDomain } from '../src/index.ts';
import { type Case, errorOf, expandText, expectRefusal, loadVectors, type Text } from './vectors.ts';

interface IdCase extends Case {
  readonly text: Text;
  readonly trustDomain?: Text;
  readonly path?: Text;
}

const isIdCase = (value: object): value is IdCase =>
  'text' in value && ('rule' in value || 'trustDomain' in value);

// The grammar once more, as one expression: an oracle that shares no code with the parser.
const name = '[a-z0-9._-]{1,255}';
const oracle = new RegExp(`^spiffe://${name}(?:/(?!\\.{1,2}(?:/|$))[a-zA-Z0-9._-]+)*$`);
const accepts = (text: string): boolean => text.length <= 2048 && !/[\n\r]/.test(text) && oracle.test(text);

const nameArbitrary = stringMatching(new RegExp(`^${name}$`));
const segmentArbitrary = stringMatching(/^[a-zA-Z0-9._-]{1,40}$/).filter(
  (text) => text !== '.' && text !== '..',
);

describe('SPIFFE ID', () => {
  it.each(loadVectors('spiffe-id.json', isIdCase))('$name', (each) => {
    const text = expandText(each.text);
    if (each.rule !== undefined) return expectRefusal(() => SpiffeId.parse(text), each);
    const id = SpiffeId.parse(text);
    expect(id.trustDomain.name).toBe(expandText(each.trustDomain ?? ''));
    expect(id.path).toBe(expandText(each.path ?? ''));
    expect(id.toString()).toBe(text);
    expect(JSON.stringify({ id })).toBe(JSON.stringify({ id: text }));
  });

  it('never repeats the input in an error', () => {
    expect(errorOf(() => SpiffeId.parse('spiffe://td/hunter2?x')).message).not.toContain('hunter2');
  });

  it('round-trips what it builds', () => {
    assert(
      property(nameArbitrary, array(segmentArbitrary, { maxLength: 8 }), (domain, segments) => {
        const built = SpiffeId.of(TrustDomain.parse(domain), ...segments);
        const parsed = SpiffeId.parse(built.toString());
        expect(parsed.equals(built)).toBe(true);
        expect(parsed.trustDomain.name).toBe(domain);
        expect(parsed.path.split('/').slice(1)).toEqual(segments);
      }),
    );
  });

  it('accepts exactly the grammar', () => {
    const pieces = constantFrom(
      'spiffe://',
      'a',
      'A',
      '0',
      '/',
      '//',
      '.',
      '..',
      '-',
      '_',
      '%2e',
      ':',
      '@',
      '?',
      '#',
      'é',
      '\0',
      '\n',
      ',',
    );
    const text = oneof(
      array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      array(pieces, { maxLength: 12 }).map((parts) => `spiffe://a/${parts.join('')}`),
      string({ unit: 'binary' }).map((tail) => `spiffe://a/${tail}`),
      string({ unit: 'binary' }),
    );
    assert(
      property(text, (candidate) => {
        expect(tryParse(candidate)).toBe(accepts(candidate));
      }),
      { numRuns: 20_000 },
    );
  });

  it('builds no ID longer than 2048 bytes', () => {
    const td = TrustDomain.parse('td');
    expect(SpiffeId.of(td, 'a'.repeat(2036)).toString()).toHaveLength(2048);
    expect(errorOf(() => SpiffeId.of(td, 'a'.repeat(2037))).rule).toBe('id-length');
  });

  it.each([
    ['a/b', 'path-charset'],
    ['', 'path-trailing-slash'],
    ['..', 'path-dot-segment'],
    ['a%2fb', 'path-percent'],
  ])('refuses the segment %j', (segment, rule) => {
    expect(errorOf(() => SpiffeId.of(TrustDomain.parse('td'), 'x', segment)).rule).toBe(rule);
  });

  it('tells members of a trust domain from others', () => {
    const id = SpiffeId.parse('spiffe://example.org/web');
    expect(id.memberOf(TrustDomain.parse('example.org'))).toBe(true);
    expect(id.memberOf(TrustDomain.parse('xample.org'))).toBe(false);
    expect(SpiffeId.parse('spiffe://example.net/web').trustDomain.name).toBe('example.net');
    expect(id.equals(SpiffeId.parse('spiffe://example.org/Web'))).toBe(false);
  });
});

describe('SPIFFE ID of a workload', () => {
  const td = TrustDomain.parse('cluster.local');

  it('follows the convention of Kubernetes', () => {
    expect(forWorkload(td, 'shop', 'web.v2').toString()).toBe('spiffe://cluster.local/ns/shop/sa/web.v2');
    expect(forWorkload(td, 'n'.repeat(63), 's'.repeat(253)).path).toBe(
      `/ns/${'n'.repeat(63)}/sa/${'s'.repeat(253)}`,
    );
  });

  it.each(['', 'Shop', 'a.b', 'a/b', 'a,b', 'a\0', 'a%41', '-a', 'a-', '..', 'a\n', 'n'.repeat(64)])(
    'refuses the namespace %j',
    (namespace) => {
      expect(errorOf(() => forWorkload(td, namespace, 'web')).rule).toBe('workload-namespace');
    },
  );

  it.each(['', 'Web', 'a/b', 'a,b', 'a\0', 'a%41', '.a', 'a..b', 'a.', 'a_b', 'a\n', 's'.repeat(254)])(
    'refuses the service account %j',
    (account) => {
      expect(errorOf(() => forWorkload(td, 'shop', account)).rule).toBe('workload-service-account');
    },
  );
});

function tryParse(text: string): boolean {
  try {
    return SpiffeId.parse(text).toString() === text;
  } catch (error) {
    if (error instanceof SpiffeError) return false;
    throw error;
  }
}
