import { describe, expect, it } from 'vitest';
import { dueCrls, endedAuthorities, forgettable } from '../../../../src/domain/revocation/due.ts';
import { parseCertificate } from '../../../../src/pki/index.ts';
import { createAuthorities } from '../../pki/fixture.ts';
import { at, crl, issuing, revoked, revokedAuthority, root, state } from './samples.ts';

const time = (hours: number) => at(hours).getTime();

/** What is due: the number, where it is not the time, and the serials of each. */
const due = (given: Parameters<typeof state>[0], hours: number) =>
  dueCrls(state(given), at(hours)).map(({ authority, number, entries }) => [
    authority.id,
    number === time(hours) ? 'now' : number,
    entries.map(({ serial }) => serial),
  ]);

describe('a CRL is due', () => {
  it.each([
    ['where there is none', {}, 0, [['a', 'now', []]]],
    ['not where there is one', { crls: [crl('a', 0)] }, 0, []],
    ['not because it is old', { crls: [crl('a', 0)] }, 230, []],
    ['not once its authority has ended', {}, 240, []],
    [
      'not of an authority that is out',
      { authorities: [issuing('a', { state: 'retired' as const })] },
      0,
      [],
    ],
    [
      'of one that does not sign yet',
      { authorities: [issuing('a', { state: 'prepared' as const })] },
      0,
      [['a', 'now', []]],
    ],
    ['of a root', { authorities: [root()] }, 0, [['root', 'now', []]]],
    [
      'at once when something is revoked, with all that was before',
      { crls: [crl('a', 0, ['01'], { number: 7 })], certificates: [revoked('01', 24), revoked('02', 24)] },
      0,
      [['a', 'now', ['01', '02']]],
    ],
    [
      'with what is of its own authority alone',
      {
        authorities: [issuing('a'), issuing('b')],
        crls: [crl('a', 0), crl('b', 0)],
        certificates: [revoked('01', 24, { issuer: 'b' })],
      },
      0,
      [['b', 'now', ['01']]],
    ],
    [
      'if it ended before its authority',
      { crls: [crl('a', 0, [], { nextUpdate: at(240) })] },
      0,
      [['a', 'now', []]],
    ],
    [
      'not for what had ended before it could be listed',
      { crls: [crl('a', 0)], certificates: [revoked('01', 5)] },
      7,
      [],
    ],
  ])('%s', (_what, given, hours, expected) => {
    expect(due(given, hours)).toStrictEqual(expected);
  });

  it('is dated back, and ends after all that it can speak of', () => {
    const [order] = dueCrls(state({}), at(5));
    expect(order?.thisUpdate).toStrictEqual(at(4));
    expect(order?.nextUpdate).toStrictEqual(at(264));
  });

  it('of the signer of a revoked authority, and of no other', async () => {
    const { root: rootDer, issuing: issuingDer } = await createAuthorities('ecdsa-p256');
    const fingerprint = parseCertificate(rootDer).fingerprint;
    const known = [
      root({ certificate: rootDer, fingerprint, rootFingerprint: fingerprint }),
      issuing('a', { certificate: issuingDer, rootFingerprint: fingerprint, state: 'retired' }),
      issuing('b', { rootFingerprint: fingerprint }),
    ];
    const given = {
      authorities: known,
      crls: [crl(fingerprint, 0, [], { nextUpdate: at(9999) }), crl('b', 0)],
      revokedAuthorities: [revokedAuthority('a')],
    };
    expect(due(given, 0)).toStrictEqual([['root', 'now', [parseCertificate(issuingDer).serialHex]]]);
  });
});

describe('what has ended', () => {
  // It ends at 5; a CRL is dated back by an hour, so one that is signed after 6 is from after its end.
  const certificates = [revoked('01', 5)];

  it('stays listed until a CRL from after its end has named it, and is then forgotten', () => {
    const listed = crl('a', 1, ['01']);
    expect(due({ crls: [listed], certificates }, 20)).toStrictEqual([]);
    expect(forgettable(state({ crls: [listed], certificates }), at(20))).toStrictEqual([]);
    expect(due({ crls: [listed], certificates }, 25)).toStrictEqual([['a', 'now', ['01']]]);
    const again = crl('a', 25, ['01'], { number: 2 });
    expect(due({ crls: [again], certificates }, 30)).toStrictEqual([]);
    expect(due({ crls: [again], certificates }, 49)).toStrictEqual([['a', 'now', []]]);
    const without = crl('a', 49, [], { number: 3 });
    expect(due({ crls: [without], certificates }, 99)).toStrictEqual([]);
    expect(forgettable(state({ crls: [without], certificates }), at(49))).toStrictEqual(['01']);
  });

  it('is dropped also when something else is revoked meanwhile', () => {
    const more = [...certificates, revoked('02', 200)];
    expect(due({ crls: [crl('a', 8, ['01'])], certificates: more }, 9)).toStrictEqual([['a', 'now', ['02']]]);
    expect(due({ crls: [crl('a', 2, ['01'])], certificates: more }, 9)).toStrictEqual([
      ['a', 'now', ['01', '02']],
    ]);
  });

  it('is forgotten with its authority', () => {
    const out = [issuing('a', { state: 'retired' })];
    expect(forgettable(state({ authorities: out, certificates }), at(4))).toStrictEqual([]);
    expect(forgettable(state({ authorities: out, certificates }), at(6))).toStrictEqual(['01']);
  });

  it('takes the CRL and the revocation of an authority with it, long after', () => {
    const given = state({
      authorities: [],
      crls: [crl('a', 0)],
      revokedAuthorities: [revokedAuthority('b', 240)],
    });
    expect(endedAuthorities(given, at(263))).toStrictEqual([]);
    expect(endedAuthorities(given, at(264))).toStrictEqual(['b']);
    expect(endedAuthorities(given, at(288))).toStrictEqual(['a', 'b']);
  });

  it('an authority that is just being made keeps its CRL', () => {
    expect(endedAuthorities(state({ authorities: [], crls: [crl('new', 0)] }), at(0))).toStrictEqual([]);
  });
});

it('numbers grow with each CRL, whatever happens', () => {
  const serials: string[] = [];
  let held = crl('a', 0);
  for (let hours = 0; hours < 200; hours += 3) {
    serials.push(hours.toString(16).padStart(2, '0'));
    const certificates = serials.map((serial, index) => revoked(serial, index * 3 + 4));
    // Now and then the clock stands still.
    const [order] = dueCrls(state({ crls: [held], certificates }), at(hours - (hours % 9)));
    if (!order) throw new Error('not due');
    expect(order.number).toBeGreaterThan(held.number);
    expect(order.entries.map(({ serial }) => serial)).toContain(serials.at(-1));
    held = crl(
      'a',
      hours,
      order.entries.map(({ serial }) => serial),
      { number: order.number },
    );
  }
});

it('numbers grow over a restore: a store from before knows nothing of those that were given since', () => {
  const inBackup = crl('a', 0, [], { number: time(0) });
  const certificates = [revoked('01', 24)];
  const numbers = [1, 2].map(
    (hours) => dueCrls(state({ crls: [inBackup], certificates }), at(hours))[0]?.number,
  );
  expect(numbers).toStrictEqual([time(1), time(2)]);
  // By a clock that was put back it goes on from what is held.
  const later = crl('a', 0, [], { number: time(9) });
  expect(dueCrls(state({ crls: [later], certificates }), at(1))[0]?.number).toBe(time(9) + 1);
});
