import { describe, expect, it } from 'vitest';
import { decideEnforcement, roomLeft, unlisted } from '../../../../src/domain/revocation/enforcement.ts';
import { at, crl, issuing, revoked, revokedAuthority, root, state } from './samples.ts';

const decide = (given: Parameters<typeof state>[0], hours = 0) => {
  const decided = decideEnforcement(state(given), at(hours));
  return decided.kind === 'enforced' ? [...decided.issuers].toSorted() : decided.kind;
};
const something = [revoked('01', 24)];
const two = [issuing('a', { state: 'old' }), issuing('b')];

describe('verifiers are given', () => {
  it.each([
    ['no CRL while nothing is revoked', { crls: [crl('a', 0)] }, 0, 'notNeeded'],
    [
      'those of all',
      { authorities: two, crls: [crl('a', 0), crl('b', 0)], certificates: something },
      0,
      ['a', 'b'],
    ],
    [
      'them until a slow clock has seen the end',
      { crls: [crl('a', 0)], certificates: something },
      24.9,
      ['a'],
    ],
    ['none after it', { crls: [crl('a', 0)], certificates: something }, 25, 'notNeeded'],
    [
      'none where one is missing',
      { authorities: two, crls: [crl('a', 0)], certificates: something },
      0,
      'impossible',
    ],
    [
      'those of the others while one has signed nothing yet',
      {
        authorities: [issuing('a'), issuing('b', { state: 'prepared' as const })],
        crls: [crl('a', 0)],
        certificates: something,
      },
      0,
      ['a'],
    ],
    [
      'that of one which signs nothing yet',
      {
        authorities: [issuing('a'), issuing('b', { state: 'prepared' as const })],
        crls: [crl('a', 0), crl('b', 0)],
        certificates: something,
      },
      0,
      ['a', 'b'],
    ],
    [
      'that of a root, which may have signed leaves before it was taken over, and need not have one',
      { authorities: [root(), issuing('a')], crls: [crl('root', 0), crl('a', 0)], certificates: something },
      0,
      ['a', 'root'],
    ],
    [
      'not that of a root before it is signed',
      { authorities: [root(), issuing('a')], crls: [crl('a', 0)], certificates: something },
      0,
      ['a'],
    ],
    [
      'not that of what is revoked, so that all of it is refused',
      { authorities: two, crls: [crl('a', 0), crl('b', 0)], revokedAuthorities: [revokedAuthority('a')] },
      0,
      ['b'],
    ],
    [
      'the same when its record says so already',
      {
        authorities: [issuing('a', { state: 'retired' as const }), issuing('b')],
        crls: [crl('a', 0), crl('b', 0)],
        revokedAuthorities: [revokedAuthority('a')],
      },
      0,
      ['b'],
    ],
    [
      'none when that would refuse everybody',
      { crls: [crl('a', 0)], revokedAuthorities: [revokedAuthority('a')] },
      0,
      'impossible',
    ],
    [
      'none for a root, which leaves the bundle',
      {
        authorities: [root({ state: 'retired' as const }), issuing('a')],
        crls: [crl('a', 0)],
        revokedAuthorities: [revokedAuthority('root', 9000)],
      },
      0,
      'notNeeded',
    ],
    [
      'none above what they take in one message',
      { crls: [crl('a', 0, [], { der: Buffer.alloc(3 * 1024 * 1024 + 1) })], certificates: something },
      0,
      'impossible',
    ],
  ])('%s', (_what, given, hours, expected) => {
    expect(decide(given, hours)).toStrictEqual(expected);
  });

  it('the same version for the same CRLs, in whatever order they are known', () => {
    const version = (...crls: readonly ReturnType<typeof crl>[]) => {
      const decided = decideEnforcement(state({ authorities: two, crls, certificates: something }), at(0));
      return decided.kind === 'enforced' ? decided.set.version : decided.kind;
    };
    const [a, b] = [crl('a', 0), crl('b', 0)];
    expect(version(a, b)).toBe(version(b, a));
    expect(version(a, b)).not.toBe(version(a, crl('b', 1)));
  });
});

describe('unlisted', () => {
  it('is what is valid, revoked, and on no CRL', () => {
    const given = {
      authorities: [issuing('a'), issuing('out', { state: 'retired' as const })],
      crls: [crl('a', 0, ['01'])],
      certificates: [
        revoked('01', 24),
        revoked('02', 24),
        revoked('03', 1),
        revoked('04', 24, { issuer: 'out' }),
      ],
    };
    expect(unlisted(state(given), at(2))).toStrictEqual(['02']);
  });
});

describe('the room for more', () => {
  const most = 3 * 1024 * 1024;
  const sized = (bytes: number) => ({ der: Buffer.alloc(bytes) });

  it.each([
    ['is what the CRLs leave', { crls: [crl('a', 0, [], sized(most - 104))] }, 2],
    ['is none where they are full', { crls: [crl('a', 0, [], sized(most + 1))] }, 0],
    [
      'is less by what is on none yet',
      { crls: [crl('a', 0, [], sized(most - 104))], certificates: [revoked('01', 24)] },
      1,
    ],
    [
      'does not count the CRL of a revoked authority, which nobody is given',
      {
        authorities: two,
        crls: [crl('a', 0, [], sized(most)), crl('b', 0, [], sized(most - 52))],
        revokedAuthorities: [revokedAuthority('a')],
      },
      1,
    ],
  ])('%s', (_name, given, room) => {
    expect(roomLeft(state(given), at(0))).toBe(room);
  });
});
