import { describe, expect, it } from 'vitest';
import { SpiffeId, spiffeRules, TrustDomain } from '../src/index.ts';
import { type Case, errorOf, loadVectors } from './vectors.ts';

const isCase = (value: object): value is Case => 'name' in value;
const files = ['spiffe-id.json', 'trust-domain.json', 'bundle.json', 'x509-svid.json'];

// Rules of this library's own forms of input, or of limits that a vector would only restate; tests in code have them.
const inCode = [
  'bundle-duplicate',
  'certificate',
  'certificate-size',
  'id-type',
  'path-complexity',
  'pem',
  'pem-label',
  'workload-namespace',
  'workload-service-account',
];

describe('rules', () => {
  it('each have a vector, or a test in code', () => {
    const named = files.flatMap((file) => loadVectors(file, isCase)).flatMap(({ rule }) => rule ?? []);
    const rules = new Set([...named, ...inCode]);
    expect([...rules].toSorted()).toEqual(spiffeRules.toSorted());
  });

  it.each([undefined, null, 7, ['spiffe://td/a'], { toString: () => 'spiffe://td/a' }])(
    'refuse %j, which is no string',
    (value) => {
      expect(
        errorOf(() => Reflect.apply((text: string) => SpiffeId.parse(text), undefined, [value])).rule,
      ).toBe('id-type');
      expect(
        errorOf(() => Reflect.apply((text: string) => TrustDomain.parse(text), undefined, [value])).rule,
      ).toBe('id-type');
    },
  );
});
