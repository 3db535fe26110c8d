import type { CertificateRequester } from '../../../src/agent/identity/ca-client.ts';
import { checkReply } from '../../../src/agent/identity/reply.ts';
import { Rotation } from '../../../src/agent/identity/rotation.ts';
import { IdentityState } from '../../../src/agent/identity/state.ts';
import { heldLeaf } from '../../../src/domain/renewal/index.ts';
import { type Secret, silentLog, systemEntropy } from '../../../src/kernel/index.ts';
import { encodeCertificateRequest, generateRequestKey } from '../../../src/pki/light.ts';
import { temporaryDirectory } from '../../../test/parts/index.ts';
import { SimulatedClock } from './clock.ts';
import { startIssuing } from './server.ts';

const minute = 60_000;
const backoff = { baseMilliseconds: 500, maximumMilliseconds: 30_000 };

export interface FleetRun {
  readonly agents: number;
  /** Simulated, after the minute in which all are issued their first. */
  readonly minutes: number;
  /** Whether the agents hear the server's windows, as over Sync. */
  readonly windows: boolean;
}

/** @returns how many certificates were issued in each minute; in the first one all the first ones */
export async function runFleet({ agents, minutes, windows }: FleetRun): Promise<readonly number[]> {
  await using directory = await temporaryDirectory('renewals');
  const clock = new SimulatedClock(new Date());
  const begin = clock.now().getTime();
  await using server = await startIssuing(clock, directory.join('bench.db'));
  const counts = Array.from<number>({ length: minutes + 1 }).fill(0);
  const over = new AbortController();
  const underWay = new Set<symbol>();

  const requesterOf = (token: Secret<string>): CertificateRequester => {
    return {
      async request(current) {
        const request = Symbol();
        underWay.add(request);
        try {
          const key = await generateRequestKey('ecdsa-p256');
          const csr = encodeCertificateRequest(key, current === undefined ? [] : [current.id.toString()]);
          const call = { csr, requestedSeconds: 0n, credentials: { token } };
          const issued = await server.issuance.issue(() => call, over.signal);
          const now = clock.now();
          const minuteNow = Math.floor((now.getTime() - begin) / minute);
          counts[minuteNow] = (counts[minuteNow] ?? 0) + 1;
          return checkReply([...issued.chainPem, issued.bundle.pem], {
            key,
            trustDomain: 'example.org',
            current,
            now,
          });
        } finally {
          underWay.delete(request);
        }
      },
    };
  };

  const start = async (token: Secret<string>, index: number): Promise<void> => {
    const state = new IdentityState();
    const requester = requesterOf(token);
    const parts = { clock, entropy: systemEntropy, log: silentLog, backoff, refusedBackoff: backoff };
    const rotation = new Rotation({ requester, state, ...parts });
    if (windows) follow(state, rotation);
    await clock.sleep((index / agents) * (minute - 2000));
    await rotation.run(over.signal);
  };

  /** As the Sync stream of each certificate does it. */
  const follow = (state: IdentityState, rotation: Rotation): void => {
    let stop = () => {};
    let serial = '';
    state.subscribe(({ identity }) => {
      if (identity === undefined || identity.serial === serial) return;
      serial = identity.serial;
      stop();
      void hear(serial);
    });
    const hear = async (of: string): Promise<void> => {
      const record = await server.store.issuance.get(of);
      if (!record) return;
      stop = server.renewals.watch(heldLeaf(record), {
        window: (window) => rotation.setWindow(window),
        reKey: () => rotation.renewNow(),
      });
    };
  };

  const settled = async (): Promise<void> => {
    do await new Promise(setImmediate);
    while (underWay.size > 0);
    await new Promise(setImmediate);
  };
  // Before time begins.
  const tokens = await Promise.all(
    Array.from({ length: agents }, (_, index) => server.token(`agent-${index}`)),
  );
  const running = tokens.map(start);
  await settled();
  await clock.goOn((minutes + 1) * minute - 1000, settled);
  over.abort();
  await Promise.all(running);
  return counts.slice(0, minutes + 1);
}
