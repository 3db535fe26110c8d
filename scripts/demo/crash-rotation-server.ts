import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import { serverConfigFromObject } from '../../src/app/config/index.ts';
import { type App, createApp } from '../../src/app/index.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';

// A server that rotates its root with a canary, from wherever it finds the rotation, and dies at one point of what it writes
// for it. Arguments: the configuration as JSON, the store's file, how it is to end (done, aborted), the point (0: none).
// Prints how many points it passed, and which effects were on record.

const [config = '{}', file = '', end = 'done', point = '0'] = process.argv.slice(2);
const order = { by: 'operator:crash', proof: 'none', reason: 'a drill' };
const proxy = { proxyKey: 'crash-proxy', spiffeId: 'spiffe://crash.example/ns/shop/sa/web' };
const canary = { selectors: ['sa=web'], watch: 1 };
/** Milliseconds that a rotation may take on a busy machine. */
const longest = 60_000;
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

/** A proxy with a valid certificate, under an authority that no rotation touches. */
async function populate({ store }: App): Promise<void> {
  if (await store.issuance.get('01')) return;
  const now = Date.now();
  await store.issuance.recordIntent({
    ...proxy,
    serial: '01',
    principal: 'development:shop/web/1',
    issuer: 'elsewhere',
    tbsDigest: '00',
    bundleVersion: '',
    notBefore: new Date(now),
    notAfter: new Date(now + 86_400_000),
    recordedAt: new Date(now),
  });
  await store.issuance.recordResult({ serial: '01', state: 'issued', certificate: Buffer.from('x') });
}

/** Its agent says that it uses what it is given. */
async function report({ authority, store }: App): Promise<void> {
  await store.adoption.record({
    ...proxy,
    svidSerial: '01',
    principal: 'development:shop/web/1',
    agentVersion: '1',
    agentBundleVersion: authority.bundleFor(proxy).version,
    consumers: [],
    connected: true,
    lastSeenAt: new Date(),
  });
}

async function rotate(app: App): Promise<void> {
  const { rotation, authority } = app;
  // By time, not by steps: after a look that was slow the next one is put off.
  for (const deadline = Date.now() + longest; Date.now() < deadline; ) {
    await report(app);
    await rotation.tick();
    const { rotation: present, activeRoot, gate } = await rotation.status();
    if (present?.phase === end) return;
    if (present?.phase === 'canary' && authority.bundle().authorities.length > 1)
      throw new Error('the new root was given to all before the end of the canary');
    if (!present) await rotation.start({ ...order, oldRoot: activeRoot, crossSign: true, canary });
    else if (present.phase === 'canary' && end === 'aborted')
      await rotation.abort({ ...order, phase: present.phase });
    else if (gate?.open && present.phase !== 'retire' && present.phase !== 'undo')
      await rotation.continue({ ...order, phase: present.phase, force: false });
  }
  throw new Error('the rotation does not end');
}

async function effects({ store }: App): Promise<string[]> {
  const { items } = await store.audit.find({ limit: 1000 });
  return [...new Set(items.flatMap(({ details }) => details['effect'] ?? []))];
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
  await populate(app);
  rotating = true;
  await rotate(app);
  rotating = false;
  const done = await effects(app);
  await app.stop();
  process.stdout.write(`${passed} ${done.join(' ')}`);
}

await main();
