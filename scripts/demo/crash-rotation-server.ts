import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import { serverConfigFromObject } from '../../src/app/config/index.ts';
import { type App, createApp } from '../../src/app/index.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';

// A server that rotates its root, from wherever it finds the rotation, and dies at one point of what it writes for it.
// Arguments: the configuration as JSON, the store's file, the point (0: none). Prints how many points it passed.

const [config = '{}', file = '', point = '0'] = process.argv.slice(2);
const order = { by: 'operator:crash', proof: 'none', reason: 'a drill' };
let rotating = false;
let passed = 0;

function pass(): void {
  if (!rotating) return;
  passed += 1;
  if (passed === Number(point)) process.kill(process.pid, 'SIGKILL');
}

/** Two points a write: before it, and after it. */
function watched<T extends object>(target: T, writes: readonly string[]): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const method: unknown = Reflect.get(object, name, receiver);
      if (typeof method !== 'function' || !writes.includes(String(name))) return method;
      return async (...values: unknown[]): Promise<unknown> => {
        pass();
        const result: unknown = await Reflect.apply(method, object, values);
        pass();
        return result;
      };
    },
  });
}

async function rotate({ rotation }: App): Promise<void> {
  for (let step = 0; step < 8; step += 1) {
    await rotation.tick();
    const { rotation: present, activeRoot } = await rotation.status();
    if (present?.phase === 'done') return;
    if (!present) await rotation.start({ ...order, oldRoot: activeRoot });
    else if (present.phase === 'distribute' || present.phase === 'drain')
      await rotation.continue({ ...order, phase: present.phase, force: false });
  }
  throw new Error('the rotation does not end');
}

async function main(): Promise<void> {
  const opened = await openSqliteStore({ file, clock: systemClock, log: silentLog });
  const settings: unknown = JSON.parse(config);
  if (typeof settings !== 'object' || settings === null) throw new Error('the configuration is no object');
  const app = await createApp(serverConfigFromObject({ ...settings }), {
    store: {
      ...opened,
      authorities: watched(opened.authorities, ['save', 'noteBundleContent']),
      rotations: watched(opened.rotations, ['save']),
      audit: watched(opened.audit, ['append']),
    },
  });
  rotating = true;
  await rotate(app);
  rotating = false;
  await app.stop();
  process.stdout.write(`${passed}\n`);
}

await main();
