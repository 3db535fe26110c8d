import { createHash, X509Certificate } from 'node:crypto';
import { array, assert, constantFrom, json, property, shuffledSubarray } from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BundleSet, decodeBundle, encodeBundle, TrustBundle, TrustDomain } from '../src/index.ts';
import { parseJson } from '../src/json.ts';
import { CertificateMaker } from './certificates.ts';
import { type Case, errorOf, expectRefusal, loadVectors } from './vectors.ts';

interface BundleCase extends Case {
  readonly document?: object;
  readonly text?: string;
  readonly authorities?: number;
  readonly sequence?: string;
  readonly refreshHint?: number;
  readonly jwt?: readonly string[];
}

const isBundleCase = (value: object): value is BundleCase =>
  ('document' in value || 'text' in value) && ('rule' in value || 'authorities' in value);

const td = TrustDomain.parse('example.org');
const ders = new Map<string, Buffer>();
const jwks = new Map<string, object>();
const all = ['p256', 'p384', 'ed25519', 'rsa2048'];

function der(name: string): Buffer {
  const found = ders.get(name);
  if (found === undefined) throw new Error(`no certificate ${name}`);
  return found;
}

beforeAll(async () => {
  const maker = new CertificateMaker(new Date('2026-06-01T12:00:00Z'));
  for (const key of all) ders.set(key, await maker.make(key, { kind: 'root', key }));
  ders.set('leaf', await maker.make('leaf', { kind: 'leaf', issuer: 'p256' }));
  for (const [name, value] of ders) {
    const { publicKey } = new X509Certificate(value);
    const x5c = [value.toString('base64')];
    jwks.set(name, { ...publicKey.export({ format: 'jwk' }), use: 'x509-svid', x5c });
  }
});

/** Puts what the placeholders of a vector stand for in their place. */
function fill(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fill);
  if (typeof value !== 'object' || value === null) return value;
  if ('$base64' in value) return der(String(value.$base64)).toString('base64');
  if ('$times' in value && '$key' in value)
    return Array.from({ length: Number(value.$times) }, () => value.$key);
  const filled = Object.entries(value).map(([name, member]): [string, unknown] => [name, fill(member)]);
  if (!('$authority' in value)) return Object.fromEntries(filled);
  const { $authority: _, ...members } = Object.fromEntries(filled);
  const merged = Object.entries({ ...jwks.get(String(value.$authority)), ...members });
  return Object.fromEntries(merged.filter(([, member]) => member !== null));
}

describe('bundle document', () => {
  it.each(loadVectors('bundle.json', isBundleCase))('$name', (each) => {
    const document = each.text ?? JSON.stringify(fill(each.document));
    if (each.rule !== undefined) return expectRefusal(() => decodeBundle(td, document), each);
    const bundle = decodeBundle(td, document);
    expect(bundle.trustDomain.name).toBe('example.org');
    expect(bundle.x509Authorities).toHaveLength(each.authorities ?? -1);
    expect(bundle.sequence?.toString()).toBe(each.sequence);
    expect(bundle.refreshHint).toBe(each.refreshHint);
    expect([...bundle.jwtAuthorities.keys()]).toEqual(each.jwt ?? []);
    expect(decodeBundle(td, Buffer.from(document)).equals(bundle)).toBe(true);
    expect(decodeBundle(td, encodeBundle(bundle)).equals(bundle)).toBe(true);
  });

  it('is written with one certificate a key, without key id', () => {
    const written: unknown = JSON.parse(
      encodeBundle(TrustBundle.of(td, all.map(der), { sequence: 7, refreshHint: 300 })),
    );
    expect(written).toMatchObject({ spiffe_sequence: 7, spiffe_refresh_hint: 300 });
    const keys = Object.getOwnPropertyDescriptor(written, 'keys')?.value as unknown;
    expect(keys).toHaveLength(all.length);
    for (const name of all) expect(keys).toContainEqual(jwks.get(name));
  });

  it('is limited in size and must be UTF-8', () => {
    expect(errorOf(() => decodeBundle(td, ' '.repeat(4 * 1024 * 1024 + 1))).rule).toBe('bundle-size');
    expect(errorOf(() => decodeBundle(td, Buffer.from([0x7b, 0xff, 0x7d]))).rule).toBe('bundle-json');
  });

  it('reads a document full of escapes in one pass', () => {
    const text = `{"keys":[],"a":"${'\\"'.repeat(1_000_000)}`;
    const begun = performance.now();
    expect(errorOf(() => decodeBundle(td, text)).rule).toBe('bundle-json');
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

describe('JSON reader', () => {
  it('reads what JSON.parse reads', () => {
    assert(
      property(json({ maxDepth: 6 }), (text) => {
        const expected: unknown = JSON.parse(text);
        // fast-check writes no member twice; -0 and large integers differ by design.
        if (/\d{16}/.test(text)) return;
        expect(parseJson(text, 32)).toEqual(expected);
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const pieces = constantFrom('{', '}', '[', ']', ':', ',', '"a"', '"b"', '"', '\\', '1', 'null', ' ');
    assert(
      property(
        array(pieces, { maxLength: 10 }).map((parts) => parts.join('')),
        (text) => {
          if (isJson(text)) return;
          expect(['bundle-json', 'bundle-duplicate-member']).toContain(
            errorOf(() => parseJson(text, 32)).rule,
          );
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('trust bundle', () => {
  it('has a version of its content, whatever the order', () => {
    const sorted = all.map(der).sort((a, b) => Buffer.compare(a, b));
    const expected = createHash('sha256').update(Buffer.concat(sorted)).digest('hex');
    assert(
      property(shuffledSubarray(all, { minLength: all.length }), constantFrom(...all), (order, twice) => {
        const bundle = TrustBundle.of(td, [...order, twice].map(der), { sequence: 9 });
        expect(bundle.contentVersion()).toBe(expected);
        expect(bundle.equals(TrustBundle.of(td, sorted, { sequence: 9n }))).toBe(true);
      }),
    );
  });

  it('has another version for each other set', () => {
    const subsets = Array.from({ length: 2 ** all.length }, (_, bits) =>
      all.filter((_name, i) => bits & (1 << i)),
    );
    const versions = subsets.map((subset) => TrustBundle.of(td, subset.map(der)).contentVersion());
    expect(new Set(versions).size).toBe(subsets.length);
  });

  it('equals another in all it holds', () => {
    const bundle = TrustBundle.of(td, [der('p256')], { sequence: 1, refreshHint: 60 });
    expect(bundle.equals(bundle.with({}))).toBe(true);
    expect(bundle.with({ sequence: 2 }).equals(bundle)).toBe(false);
    expect(bundle.with({ refreshHint: 61 }).equals(bundle)).toBe(false);
    expect(TrustBundle.of(td, [der('p384')], { sequence: 1, refreshHint: 60 }).equals(bundle)).toBe(false);
    const elsewhere = TrustDomain.parse('example.net');
    expect(TrustBundle.of(elsewhere, [der('p256')], { sequence: 1, refreshHint: 60 }).equals(bundle)).toBe(
      false,
    );
    const jwtAuthorities = new Map([['k', { kty: 'EC' }]]);
    expect(
      TrustBundle.of(td, [der('p256')], { sequence: 1, refreshHint: 60, jwtAuthorities }).equals(bundle),
    ).toBe(false);
  });

  it('round-trips PEM', () => {
    const bundle = TrustBundle.of(td, all.map(der));
    expect(TrustBundle.fromPem(td, bundle.toPem()).equals(bundle)).toBe(true);
    expect(TrustBundle.fromPem(td, '').x509Authorities).toEqual([]);
    expect(bundle.has(der('p256'))).toBe(true);
    expect(bundle.has(der('leaf'))).toBe(false);
  });

  it('holds public keys of CAs only', () => {
    expect(errorOf(() => TrustBundle.of(td, [der('leaf')])).rule).toBe('bundle-authority');
    const jwtAuthorities = new Map([['k', { kty: 'EC', d: 'AAAA' }]]);
    expect(errorOf(() => TrustBundle.of(td, [], { jwtAuthorities })).rule).toBe('bundle-private-key');
  });

  it.each([-1, 1.5, 2 ** 53, 2n ** 64n, Number.NaN])('refuses the sequence %s', (sequence) => {
    expect(errorOf(() => TrustBundle.of(td, [], { sequence })).rule).toBe('bundle-sequence');
  });
});

describe('set of bundles', () => {
  const other = TrustDomain.parse('example.net');

  it('maps trust domains to bundles and is never changed', () => {
    const mine = TrustBundle.of(td, [der('p256')]);
    const theirs = TrustBundle.of(other, [der('p384')]);
    const set = BundleSet.of(mine, theirs);
    expect(set.get(td)).toBe(mine);
    expect(set.get(TrustDomain.parse('example.com'))).toBeUndefined();
    expect([...set]).toEqual([theirs, mine]);
    expect(set.without(other).has(other)).toBe(false);
    expect(set.has(other)).toBe(true);
    const renewed = set.with(TrustBundle.of(td, [der('ed25519')]));
    expect(renewed.size).toBe(2);
    expect(set.get(td)).toBe(mine);
    expect(errorOf(() => BundleSet.of(mine, mine)).rule).toBe('bundle-duplicate');
  });

  it('has a version of its content, whatever the order', () => {
    const mine = TrustBundle.of(td, [der('p256')]);
    const theirs = TrustBundle.of(other, [der('p384')]);
    const set = BundleSet.of(mine, theirs);
    expect(set.contentVersion()).toBe(BundleSet.of(theirs, mine).contentVersion());
    expect(set.equals(BundleSet.of(theirs, mine))).toBe(true);
    const swapped = BundleSet.of(TrustBundle.of(other, [der('p256')]), TrustBundle.of(td, [der('p384')]));
    expect(swapped.contentVersion()).not.toBe(set.contentVersion());
    expect(swapped.equals(set)).toBe(false);
    expect(set.without(other).contentVersion()).not.toBe(set.contentVersion());
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
