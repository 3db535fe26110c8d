import { waitFor } from '../../../test/parts/index.ts';
import { callInPlaintext } from '../../../test/support/plaintext.ts';
import type { World } from '../world.ts';

/** How a service goes to STRICT and back. */
export interface Switches {
  strict(cycle: number): Promise<void>;
  permissive(): Promise<void>;
}

/** Calls of whom nothing is known: each comes from an address of its own. */
function strangers(port: number): () => Promise<number> {
  let last = 1;
  return () => {
    last += 1;
    return callInPlaintext(port, `127.0.${Math.floor(last / 250)}.${(last % 250) + 2}`);
  };
}

/** Somebody writes a PeerAuthentication; a caller in plaintext shows when it holds. */
export function byPolicy(world: World, port: number): Switches {
  const call = strangers(port);
  const write = (mode: 'STRICT' | 'PERMISSIVE') =>
    world.writeRegistry(
      'peer.yaml',
      `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {namespace: shop, name: default}\nspec:\n  mtls: {mode: ${mode}}\n`,
    );
  return {
    async strict() {
      await write('STRICT');
      await untilPlaintextIs('refused', call);
    },
    async permissive() {
      await write('PERMISSIVE');
      await untilPlaintextIs('answered', call);
    },
  };
}

/**
 * An operator orders it, and takes it back: `citadel mtls enforce` and `revert`. The first time the server is killed in
 * the midst of it, and goes on. A stranger who is refused does not halt it.
 */
export function byOrder(world: World, port: number, seconds: number): Switches {
  const call = strangers(port);
  // The shortest in which a proxy tells of all that goes on.
  const window = ['--window', '16s'];
  return {
    async strict(cycle) {
      const begun = Date.now();
      await waitFor(
        async () => / safe /.test(await world.operator('mtls', 'status', '--workload', 'orders', ...window)),
        {
          what: 'STRICT to be safe',
          deadline: 60_000,
          interval: 500,
        },
      );
      console.log(`STRICT is safe after ${Math.round((Date.now() - begun) / 1000)} s without plaintext`);
      const observe = ['--observe', `${Math.max(seconds, 2)}s`];
      const order = await world.startOperator(
        'mtls',
        'enforce',
        '--namespace',
        'shop',
        ...window,
        ...observe,
        '--yes',
      );
      await order.line(/orders observing/, { deadline: 60_000 });
      await untilPlaintextIs('refused', call);
      if (cycle === 0) {
        await world.crashServer();
        console.log('the server was killed and started again');
      }
      const [, waits = ''] = await order.line(/orders settling: (.*)/, { deadline: 120_000 });
      console.log(`nobody was refused who called before; ${waits}`);
    },
    async permissive() {
      console.log((await world.operator('mtls', 'revert', '--namespace', 'shop', '--yes')).trimEnd());
      await untilPlaintextIs('answered', call);
    },
  };
}

async function untilPlaintextIs(wanted: 'answered' | 'refused', call: () => Promise<number>): Promise<void> {
  const taken = wanted === 'answered';
  await waitFor(async () => ((await call()) === 200) === taken, { what: `plaintext to be ${wanted}` });
  console.log(`${taken ? 'PERMISSIVE' : 'STRICT'}: a caller in plaintext is ${wanted}`);
}
