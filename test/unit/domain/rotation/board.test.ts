import { describe, expect, test } from 'vitest';
import type { ProxyReport, RootRotation } from '../../../../src/domain/ports/index.ts';
import { boardOf, gateOf, type RotationStatus } from '../../../../src/domain/rotation/index.ts';
import { at, evidence, leaf, report, resource, rotation } from './samples.ts';

const all = { filter: '', standing: undefined, limit: 100 };

function statusOf(
  leaves: Parameters<typeof evidence>[0],
  reports: readonly ProxyReport[],
  changes: Partial<RootRotation> = {},
): RotationStatus {
  const present = rotation(changes);
  const { phase } = present;
  const waits = phase === 'distribute' || phase === 'drain' || phase === 'retire' || phase === 'undo';
  return {
    rotation: present,
    activeRoot: 'old',
    gate: waits ? gateOf(present, phase, evidence(leaves, reports)) : undefined,
    obstacle: undefined,
    keysLeft: [],
  };
}

const proxy = (key: string) => leaf({ proxyKey: key, serial: key });
const reported = (key: string, version: string, changes: Partial<ProxyReport> = {}) =>
  report(version, [], { proxyKey: key, ...changes });
const refused = report('both', [resource({ sent: 'both', nackError: 'cannot parse' })], {
  proxyKey: 'refuses',
});

describe('the board', () => {
  const status = statusOf(['uses', 'behind', 'away', 'refuses', 'silent'].map(proxy), [
    reported('uses', 'both'),
    reported('behind', 'only-old'),
    reported('away', 'only-old', { connected: false }),
    refused,
  ]);

  test('counts each kind of standing, and lists the worst first, with what to do', () => {
    const board = boardOf(status, all);
    expect(board).toMatchObject({ live: 5, stragglers: 4, unproven: 0, matching: 5, lastRenewal: at(100) });
    expect(board.counts).toStrictEqual({
      inUse: 1,
      accepted: 0,
      handedOut: 0,
      sent: 0,
      refused: 1,
      behind: 2,
      away: 1,
    });
    expect(
      board.lines.map(({ proxy: { proxyKey }, standing, waited, bundleVersion, nackError }) => [
        proxyKey,
        standing,
        waited,
        bundleVersion,
        nackError,
      ]),
    ).toStrictEqual([
      ['away', 'away', true, 'only-old', ''],
      ['behind', 'behind', true, 'only-old', ''],
      ['silent', 'behind', true, 'only-old', ''],
      ['refuses', 'refused', true, '', 'cannot parse'],
      ['uses', 'inUse', false, 'both', ''],
    ]);
    expect(board.lines.map(({ whatToDo }) => whatToDo)).toStrictEqual([
      expect.stringContaining('citadel rotate excuse away'),
      expect.stringContaining('look at the agent’s log'),
      expect.stringContaining('when it renews, by 2030-01-01T00:01:40.000Z'),
      expect.stringContaining('mend what the error says'),
      '',
    ]);
  });

  test('is bounded, and is asked for a part of it, while its counts are of all', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => proxy(`pod-${index}`));
    const board = boardOf(statusOf(many, []), all);
    expect(board).toMatchObject({ live: 10_000, stragglers: 10_000, matching: 10_000 });
    expect(board.lines).toHaveLength(100);
    const one = boardOf(statusOf(many, []), { ...all, filter: 'pod-9999' });
    expect(one).toMatchObject({ live: 10_000, matching: 1, lines: [{ proxy: { proxyKey: 'pod-9999' } }] });
    expect(boardOf(status, { ...all, standing: 'away' }).lines).toHaveLength(1);
  });

  test('says what comes next, and each reason why not yet', () => {
    expect(boardOf(status, all)).toMatchObject({
      next: 'citadel rotate continue, once nothing is missing: the new root signs from then on',
      whyNot: ['4 proxies are not seen to use the bundle with the new root'],
    });
    const open = boardOf(statusOf([proxy('uses')], [reported('uses', 'both')]), all);
    expect(open).toMatchObject({ whyNot: [], next: expect.stringMatching(/^citadel rotate continue: /) });
    expect(open.lastRenewal).toBeUndefined();
    const silent = boardOf(statusOf([leaf({ bundleVersion: 'both' })], []), all);
    expect(silent.whyNot).toStrictEqual([expect.stringContaining('1 can show no more')]);
    expect(silent.lines[0]?.whatToDo).toContain('citadel rotate excuse web-1');
    expect(boardOf({ ...status, obstacle: 'Vault is sealed' }, all).whyNot[0]).toBe('Vault is sealed');
  });

  test('a drain tells of certificates, and advises no excuse, of which there is none', () => {
    const board = boardOf(statusOf([proxy('behind')], [reported('behind', 'both')], { phase: 'drain' }), all);
    expect(board.whyNot).toStrictEqual([
      '1 proxies still use a certificate under the old root',
      '1 certificates under the old root are valid, the last until 2030-01-01T00:01:40.000Z',
    ]);
    expect(board.lines[0]?.whatToDo).toMatch(/^it renews by itself.*ends at 2030/);
    const gone = boardOf(
      statusOf([proxy('gone')], [reported('gone', 'both', { connected: false })], { phase: 'drain' }),
      all,
    );
    expect(gone.lines[0]?.whatToDo).not.toContain('excuse');
  });

  test.each(['done', 'aborted'] as const)('%s is the end', (phase) => {
    expect(boardOf(statusOf([], [], { phase }), all)).toMatchObject({ next: '', whyNot: [], live: 0 });
  });
});
