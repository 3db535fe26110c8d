import { describe, expect, it } from 'vitest';
import { hasPart } from '../../parts/index.ts';
import { runDemo } from './program.ts';

const deadline = 110_000;

// Most of the time each waits, for certificates to end.
describe.concurrent('the short form of', () => {
  it.skipIf(!hasPart('envoy'))(
    'scripts/demo-rotation-under-load: no request fails while certificates rotate',
    async () => {
      const ended = await runDemo('rotation-under-load.ts', ['--rotations', '3', '--ttl', '11s'], deadline);
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      const [, requests] = /^requests (\d+), failures 0, rotations \d+$/.exec(ended.lastLine) ?? [];
      const [, handshakes, of] = /^new full handshakes: (\d+) of (\d+) requests$/m.exec(ended.stdout) ?? [];
      expect(of).toBe(requests);
      expect(Number(requests)).toBeGreaterThan(100);
      expect(Number(handshakes) * 2).toBeGreaterThanOrEqual(Number(requests));
      const [, counted, resumed] =
        /^the callee's Envoy counted (\d+) handshakes, (\d+) of them resumed$/m.exec(ended.stdout) ?? [];
      expect(Number(counted)).toBeGreaterThanOrEqual(Number(handshakes));
      expect(resumed).toBe('0');
      const serials = /^serials seen: (.+)$/m.exec(ended.stdout)?.[1]?.split(' ') ?? [];
      expect(new Set(serials).size).toBe(serials.length);
      expect(serials.length).toBeGreaterThanOrEqual(4);
    },
    deadline + 10_000,
  );

  it.skipIf(!hasPart('envoy') || !hasPart('openbao'))(
    'scripts/demo-root-rotation: no request fails while the root moves to OpenBao and the server is killed',
    async () => {
      // Who is cut off has to live on, on a busy machine too, until he is named.
      const ended = await runDemo('root-rotation.ts', ['--seed', '2', '--ttl', '45s'], 3 * deadline);
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      const [, requests] = /^requests (\d+), failures 0$/.exec(ended.lastLine) ?? [];
      const [, handshakes, of] =
        /^new full handshakes, by the Envoys' own count: (\d+) for (\d+) requests$/m.exec(ended.stdout) ?? [];
      expect(of).toBe(requests);
      expect(Number(requests)).toBeGreaterThan(500);
      expect(Number(handshakes) * 2).toBeGreaterThanOrEqual(Number(requests));
      expect(ended.stdout).toMatch(/cannot end yet: .*\/sa\/billing .* is away/);
      expect(ended.stdout.match(/^ {3}kill -9: the server died at "rotation\.\w+"/gm)).toHaveLength(2);
      expect(ended.stdout).toMatch(/^ +root-[0-9a-f]{16} +root +active +vault /m);
      expect(ended.stdout).toContain('root keys on the disk: none');
    },
    3 * deadline + 10_000,
  );

  it.skipIf(!hasPart('envoy'))(
    'scripts/soak-rotation: a fleet goes through rotations, and every two of it still shake hands',
    async () => {
      const size = ['--rotations', '2', '--agents', '20', '--envoys', '2', '--pairs', '2', '--ttl', '40'];
      const ended = await runDemo('soak-rotation.ts', size, 3 * deadline);
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      const [, handshakes] =
        /^handshakes (\d+), failures 0, minutes a rotation \d+\.\d$/.exec(ended.lastLine) ?? [];
      // Before all of it, and at seven steps of each rotation, of three kinds.
      expect(Number(handshakes)).toBe((1 + 2 * 7) * 2 * 3);
      expect(ended.stdout.match(/^ {3}kill -9: the server died at /gm)).toHaveLength(2);
    },
    3 * deadline + 10_000,
  );

  it(
    'scripts/crash-issuing: SIGKILL loses no record and repeats no serial',
    async () => {
      const ended = await runDemo('crash-issuing.ts', ['--rounds', '3'], deadline);
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      const last = /^received (\d+), lost 0, duplicate serials 0, unresolved 0, kills 3$/.exec(
        ended.lastLine,
      );
      expect(Number(last?.[1])).toBeGreaterThanOrEqual(30);
      expect(ended.stdout.match(/^round \d: \d+ certificates, then SIGKILL$/gm)).toHaveLength(3);
    },
    deadline + 10_000,
  );

  it(
    'scripts/crash-rotation: SIGKILL orphans no key and makes no root twice',
    async () => {
      const ended = await runDemo('crash-rotation.ts', ['--seed', '11', '--points', '2'], 2 * deadline);
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      expect(ended.lastLine).toMatch(/^seed 11, points \d{3}, kills 2, faults 0$/);
    },
    2 * deadline + 10_000,
  );

  it(
    'scripts/drill-taint: every agent under a tainted authority has a new key from another',
    async () => {
      const ended = await runDemo('drill-taint.ts', ['--agents', '25', '--minutes', '1.5'], deadline);
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      expect(ended.lastLine).toMatch(/^agents 25, re-keyed 25, minutes \d\.\d\d$/);
      expect(ended.stdout).toContain("left by the server's count: 0");
      const asked = /^meanwhile another caller, .* asked for (\d+) certificates/m.exec(ended.stdout)?.[1];
      expect(Number(asked)).toBeGreaterThan(0);
    },
    deadline + 10_000,
  );

  it.skipIf(!hasPart('envoy'))(
    'scripts/demo-strict-switch, by order: nor when the server is killed in the midst of it',
    async () => {
      const ended = await runDemo('strict-switch.ts', ['--cycles', '1', '--seconds', '1'], deadline);
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      const [, requests] = /^requests (\d+), failures 0$/.exec(ended.lastLine) ?? [];
      expect(Number(requests)).toBeGreaterThan(500);
      const told = ended.stdout.match(
        /^(STRICT:|the server was|nobody was|files\/shop\/orders reverted|PERMISSIVE:)/gm,
      );
      expect(told).toEqual([
        'STRICT:',
        'the server was',
        'nobody was',
        'files/shop/orders reverted',
        'PERMISSIVE:',
      ]);
    },
    deadline + 10_000,
  );

  it.skipIf(!hasPart('envoy'))(
    'scripts/demo-strict-switch: no request of a caller with mutual TLS fails when plaintext is shut out',
    async () => {
      const ended = await runDemo(
        'strict-switch.ts',
        ['--by', 'policy', '--cycles', '2', '--seconds', '1'],
        deadline,
      );
      expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      const [, requests] = /^requests (\d+), failures 0$/.exec(ended.lastLine) ?? [];
      expect(Number(requests)).toBeGreaterThan(500);
      expect(ended.stdout.match(/^STRICT: a caller in plaintext is refused$/gm)).toHaveLength(2);
      expect(ended.stdout.match(/^PERMISSIVE: a caller in plaintext is answered$/gm)).toHaveLength(2);
      for (const kind of [
        'HTTP/1.1, kept connection',
        'HTTP/2, one session',
        'TCP, one connection',
        'WebSocket, one connection',
      ])
        expect(ended.stdout).toMatch(
          new RegExp(`^${kind}: \\d{2,} requests on 1 connections, 0 failures$`, 'm'),
        );
    },
    deadline + 10_000,
  );
});
