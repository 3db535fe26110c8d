import { describe, expect, it } from 'vitest';
import type { Consumer, LiveLeaf, ProxyReport } from '../../../../src/domain/ports/index.ts';
import { type CrlGateInput, takesCrls, waitsForCrl } from '../../../../src/domain/revocation/gate.ts';
import { at, issuing } from './samples.ts';

const consumer = (name: string, kind: Consumer['kind'] = 'envoy-sds'): Consumer => ({
  id: '1',
  kind,
  resources: [{ name, kind: 'bundle', observedAt: at(0) }],
  lastSeenAt: at(0),
});

function report(proxyKey: string, changes: Partial<ProxyReport> = {}): ProxyReport {
  return {
    proxyKey,
    spiffeId: 'spiffe://example.org/ns/shop/sa/web',
    svidSerial: '01',
    principal: `kubernetes:main/shop/web/${proxyKey}`,
    agentVersion: '1',
    agentBundleVersion: '',
    crlVersion: 'now',
    consumers: [consumer('ROOTCA')],
    connected: true,
    lastSeenAt: at(0),
    ...changes,
  };
}

const leaf = (proxyKey: string): LiveLeaf => ({
  serial: '01',
  spiffeId: 'spiffe://example.org/ns/shop/sa/web',
  principal: `kubernetes:main/shop/web/${proxyKey}`,
  proxyKey,
  issuer: 'a',
  bundleVersion: '',
  notAfter: at(24),
  recordedAt: at(0),
  reported: true,
});

const enforced = {
  kind: 'enforced',
  set: { version: 'now', crls: [], pem: '' },
  issuers: new Set(['a', 'b']),
} as const;

function waits(
  reports: readonly ProxyReport[],
  changes: Partial<CrlGateInput> = {},
  discovery: CrlGateInput['evidence']['discovery'] = [],
) {
  return waitsForCrl({
    enforcement: enforced,
    next: issuing('b', { state: 'prepared' }),
    present: issuing('a'),
    bornAt: at(1),
    evidence: { reports, discovery, leaves: ['x', 'y', 'ads'].map(leaf) },
    longestLeaf: 24 * 3_600_000,
    now: at(1.01),
    ...changes,
  });
}

const { crlVersion: _told, ...silent } = report('x');
const behind = report('y', { crlVersion: 'before' });

describe('an authority waits with its first leaf', () => {
  it.each([
    ['for nobody where all have its CRL', [report('x'), report('y')], {}, []],
    ['for whoever has other CRLs', [report('x'), behind], {}, ['y']],
    ['for whoever has not told', [silent], {}, ['x']],
    ['for who is not connected', [report('x', { crlVersion: 'before', connected: false })], {}, ['x']],
    ['for nobody without a valid certificate', [report('gone', { crlVersion: 'before' })], {}, []],
    [
      'for nobody who verifies by the SPIFFE validator',
      [report('x', { crlVersion: '', consumers: [consumer('ALL')] })],
      {},
      [],
    ],
    [
      'for nobody without an Envoy',
      [report('x', { crlVersion: '', consumers: [consumer('ROOTCA', 'workload-api')] })],
      {},
      [],
    ],
    [
      'for nobody while verifiers have no CRLs',
      [behind],
      { enforcement: { kind: 'notNeeded' as const } },
      [],
    ],
    ['for nobody where nothing signs', [behind], { present: undefined }, []],
    ['for nobody where what signs has ended', [behind], { present: issuing('a', { notAfter: at(1) }) }, []],
    ['for nobody longer than the longest leaf lives', [behind], { now: at(25) }, []],
    ['for that long otherwise', [behind], { now: at(24.9) }, ['y']],
    [
      'less than a minute and a half in place of a tainted one',
      [behind],
      { present: issuing('a', { tainted: true }), now: at(1.02) },
      [],
    ],
    ['for a while also then', [behind], { present: issuing('a', { tainted: true }) }, ['y']],
    ['for nobody when it has no CRL itself', [behind], { bornAt: undefined }, []],
  ])('%s', (_what, reports, changes, expected) => {
    expect(waits(reports, changes)).toStrictEqual(expected);
  });

  it.each([
    ['for whoever has not accepted it by discovery', false, 1.01, ['ads']],
    ['for nobody who has', true, 1.01, []],
    ['until discovery can have it', true, 1.0002, ['ads']],
  ])('%s', (_what, accepted, now, expected) => {
    expect(waits([], { now: at(now) }, [{ proxyKey: 'ads', accepted }])).toStrictEqual(expected);
  });
});

describe('an authority that can sign no CRL', () => {
  const noCrls = 'its key usage lacks cRLSign';
  it.each([
    ['waits while another one can go on', { noCrls, present: issuing('a') }, true],
    ['signs where no other does', { noCrls, present: undefined }, false],
    ['signs where the other has ended', { noCrls, present: issuing('a', { notAfter: at(1) }) }, false],
    [
      'signs in the place of one that is compromised',
      { noCrls, present: issuing('a', { tainted: true }) },
      false,
    ],
    ['is none where it signs CRLs', { noCrls: undefined, present: issuing('a') }, false],
  ] as const)('%s', (_what, input, waiting) => {
    expect(takesCrls({ ...input, now: at(1.01) })).toBe(waiting);
  });
});
