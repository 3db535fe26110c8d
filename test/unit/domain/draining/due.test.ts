import { describe, expect, test } from 'vitest';
import { dueDrains, pendingDrains } from '../../../../src/domain/draining/index.ts';
import type { RevokedCertificate } from '../../../../src/domain/ports/index.ts';
import { liveProxies } from '../../../../src/domain/rotation/index.ts';
import { at, authority, leaf, report } from '../rotation/samples.ts';

const tainted = authority('issuer-old', 'old', { id: 'issuing-1', kind: 'issuing', tainted: true });
const crls = { version: 'v2', crls: [], pem: '' };
const enforced = { kind: 'enforced', set: crls, issuers: new Set<string>() } as const;
const nothing = { certificates: [], authorities: [] };
const old = leaf();
const renewed = leaf({ serial: '02', issuer: 'issuer-new', recordedAt: at(5) });

const revoked = (serial: string, seconds: number): RevokedCertificate => ({
  serial,
  spiffeId: 'spiffe://example.org/ns/shop/sa/web',
  issuer: 'issuer-new',
  notAfter: at(100),
  revokedAt: at(seconds),
  revokedBy: 'operator:ann',
  code: 'keyCompromise',
  reason: 'stolen',
});

describe('after a taint', () => {
  const due = (
    leaves: Parameters<typeof liveProxies>[0],
    reports: Parameters<typeof liveProxies>[1],
    known: readonly string[] = [],
    seen = at(9),
  ) => {
    const before = new Set(known);
    const pending = pendingDrains(before, [tainted], nothing, at(10));
    const proxies = liveProxies(leaves, reports, at(10));
    return dueDrains(pending, {
      known: before,
      proxies,
      enforcement: { kind: 'notNeeded' },
      bundleVersion: 'both',
      taintSeen: new Map([['issuer-old', seen]]),
      now: at(10),
    }).map(({ name }) => name);
  };
  const connected = report('both');

  test.each([
    ['nothing while a connected agent has its old certificate', [old], [connected], [], []],
    ['everything once nobody has', [old, renewed], [connected], [], ['taint/issuer-old/all']],
    ['everything where there is nobody', [], [], [], ['taint/issuer-old/all']],
    ['early where only those are left that do not report', [old], [], [], ['taint/issuer-old/reporting']],
    [
      'early where an agent has gone',
      [old],
      [report('both', [], { connected: false })],
      [],
      ['taint/issuer-old/reporting'],
    ],
    ['once for those that report', [old], [], ['taint/issuer-old/reporting'], []],
    [
      'once more when the others have come',
      [renewed],
      [],
      ['taint/issuer-old/reporting'],
      ['taint/issuer-old/all'],
    ],
    ['nothing after that', [renewed], [], ['taint/issuer-old/all'], []],
  ])('drains %s', (_, leaves, reports, known, expected) => {
    expect(due(leaves, reports, known)).toStrictEqual(expected);
  });

  test('waits ten minutes for an agent that does not make a new key, and no longer', () => {
    expect(due([old], [connected], [], at(10 - 599))).toStrictEqual([]);
    expect(due([old], [connected], [], at(10 - 600))).toStrictEqual(['taint/issuer-old/reporting']);
  });

  test('drains nothing for an authority that has ended, and for one that is well', () => {
    const ended = { ...tainted, notAfter: at(9) };
    const well = { ...tainted, tainted: false };
    expect(pendingDrains(new Set(), [ended, well], nothing, at(10)).tainted).toStrictEqual([]);
  });
});

describe('after a revocation', () => {
  const due = (reports: Parameters<typeof liveProxies>[1], now: number, known: readonly string[] = []) => {
    const before = new Set(known);
    const certificates = [revoked('07', 10), revoked('08', 10), revoked('09', 20)];
    const pending = pendingDrains(before, [], { certificates, authorities: [] }, at(now));
    const proxies = liveProxies([renewed], reports, at(now));
    return dueDrains(pending, {
      known: before,
      proxies,
      enforcement: enforced,
      bundleVersion: 'both',
      taintSeen: new Map(),
      now: at(now),
    }).map(({ name }) => name);
  };
  const [first, second] = ['revocation/2030-01-01T00:00:10.000Z', 'revocation/2030-01-01T00:00:20.000Z'];

  test.each([
    [
      'nothing while a connected proxy has older CRLs',
      [report('both', [], { crlVersion: 'v1' })],
      21,
      [],
      [],
    ],
    [
      'once for each order when all have the newest',
      [report('both', [], { crlVersion: 'v2' })],
      21,
      [],
      [first, second],
    ],
    ['at the end of the grace in any case', [report('both', [], { crlVersion: 'v1' })], 41, [], [first]],
    [
      'nothing while a connected agent has the bundle with a root that is gone',
      [report('only-old', [], { crlVersion: 'v2' })],
      21,
      [],
      [],
    ],
    ['without those that are away', [report('both', [], { connected: false })], 21, [], [first, second]],
    ['nothing twice', [], 21, [first, second], []],
  ])('drains %s', (_, reports, now, known, expected) => {
    expect(due(reports, now, known)).toStrictEqual(expected);
  });

  test('drains nothing for what has ended', () => {
    const certificates = [revoked('07', 10)];
    expect(pendingDrains(new Set(), [], { certificates, authorities: [] }, at(100)).revoked.size).toBe(0);
  });
});
