import { describe, expect, test } from 'vitest';
import { bundleInUse, readCertificates, svidInUse } from '../../../src/agent/envoy/certificates-in-use.ts';
import { type History, normalSerial } from '../../../src/agent/history.ts';

const history: History = {
  svids: [
    { serial: 'a1', issuer: 'issuer-1' },
    { serial: 'b2', issuer: 'issuer-2' },
  ],
  bundles: [
    { trustDomain: 'a.test', version: 'one', serials: ['11'] },
    { trustDomain: 'b.test', version: 'foreign', serials: ['99'] },
    { trustDomain: 'a.test', version: 'two', serials: ['11', '22'] },
  ],
};

function certs(...contexts: readonly (readonly [leaf: string[], authorities: string[]])[]): string {
  const details = (serials: string[]) =>
    serials.map((serial_number) => ({ path: '<inline>', serial_number }));
  return JSON.stringify({
    certificates: contexts.map(([leaf, ca]) => ({ cert_chain: details(leaf), ca_cert: details(ca) })),
  });
}

describe('what Envoy uses', () => {
  test('the new certificate and the whole new bundle, in any order and notation', () => {
    const contexts = readCertificates(certs([['00B2'], ['22', '011']]));
    expect(svidInUse(contexts, history)).toEqual({
      version: 'b2',
      evidence: 'envoy-admin',
      issuer: 'issuer-2',
    });
    expect(bundleInUse(contexts, history, 'a.test')).toEqual({ version: 'two', evidence: 'envoy-admin' });
    expect(bundleInUse(contexts, history, 'b.test')).toBeUndefined();
  });

  test('the oldest, while one context has not changed', () => {
    const contexts = readCertificates(certs([['b2'], ['11', '22']], [['a1'], ['11']]));
    expect(svidInUse(contexts, history)?.version).toBe('a1');
    expect(bundleInUse(contexts, history, 'a.test')?.version).toBe('one');
  });

  test('the version is the serial as we write it, leading zeros and all', () => {
    const padded = { ...history, svids: [{ serial: '0abc', issuer: 'issuer-1' }] };
    expect(svidInUse(readCertificates(certs([['abc'], []])), padded)?.version).toBe('0abc');
  });

  test("nothing, where no context is ours or a bundle's authorities are only a part", () => {
    const contexts = readCertificates(certs([['ff'], ['22']], [[], []]));
    expect(svidInUse(contexts, history)).toBeUndefined();
    expect(bundleInUse(contexts, history, 'a.test')).toBeUndefined();
    expect(readCertificates('{"certificates":[{}]}')).toEqual([{ leafSerials: [], authoritySerials: [] }]);
  });

  test.each(['', 'not json', '[]', '{}', '{"certificates": 5}'])('%j is no list of certificates', (body) => {
    expect(() => readCertificates(body)).toThrow('/certs');
  });
});

test('a serial number is the same in every notation', () => {
  expect(['00:AB:0c', 'ab0c', '0AB0C'].map(normalSerial)).toEqual(['ab0c', 'ab0c', 'ab0c']);
  expect(normalSerial('00')).toBe('0');
});
