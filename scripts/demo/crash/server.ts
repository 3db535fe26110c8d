import { openSqliteStore } from '../../../src/adapters/store/sqlite/index.ts';
import { serverConfigFromObject } from '../../../src/app/config/index.ts';
import { type App, createApp, openEndedRoot } from '../../../src/app/index.ts';
import { createTaint } from '../../../src/domain/authority/index.ts';
import { type Clock, isCitadelError, silentLog, systemClock } from '../../../src/kernel/index.ts';
import { Points } from './points.ts';
import { type WayName, ways } from './ways.ts';

// A server that goes one of the ways, from wherever it finds itself on it, and dies at one point of what it writes.
// Arguments: the configuration as JSON, the store's file, the way, the point (0: none), or `prepare` to make what the way begins
// with. Prints how many points it passed and what was on record, or the point that it dies at.

const [config = '{}', file = '', wayName = '', point = '0'] = process.argv.slice(2);
const found = ways.find(({ name }) => name === wayName);
if (!found) throw new Error(`there is no way ${wayName}`);
const way: WayName = found.name;
const isPreparing = point === 'prepare';
const points = new Points(isPreparing ? 'after issuingKeys.generate' : Number(point));

const order = { by: 'operator:crash', proof: 'none', reason: 'a drill' };
const proxy = { proxyKey: 'crash-proxy', spiffeId: 'spiffe://crash.example/ns/shop/sa/web' };
const leaf = { serial: '01', principal: 'development:shop/web/1' };
const canary = { selectors: ['sa=web'], watch: 1 };
const day = 86_400_000;
const year = 365 * day;
/** Milliseconds that a way may take on a busy machine. */
const longest = 60_000;

/** Long after the end of a root. */
const later: Clock = {
  ...systemClock,
  now: () => new Date(systemClock.now().getTime() + 6 * year),
};
const isRecovery = way.startsWith('recovered');
const clock = isRecovery && !isPreparing ? later : systemClock;

function settings() {
  const read: unknown = JSON.parse(config);
  if (typeof read !== 'object' || read === null) throw new Error('the configuration is no object');
  return serverConfigFromObject({ ...read });
}

const openStore = async () =>
  points.store(await openSqliteStore({ file, clock: systemClock, log: silentLog }));
const homes = (opened: Parameters<Points['homes']>[0]) => points.homes(opened);

async function start(): Promise<App> {
  return createApp(settings(), { store: await openStore(), homes, clock });
}

/** A proxy with a valid certificate; where none is to be revoked, under an authority that no rotation touches. */
async function populate({ store, authority }: App): Promise<void> {
  if (await store.issuance.get(leaf.serial)) return;
  const now = clock.now();
  await store.issuance.recordIntent({
    ...proxy,
    ...leaf,
    issuer: way === 'revoked' ? authority.issuer().record.fingerprint : 'elsewhere',
    tbsDigest: '00',
    bundleVersion: '',
    notBefore: now,
    notAfter: new Date(now.getTime() + day),
    recordedAt: now,
  });
  await store.issuance.recordResult({
    serial: leaf.serial,
    state: 'issued',
    certificate: Buffer.from('x'),
  });
}

/** Its agent says that it uses what it is given. */
async function report({ authority, store }: App): Promise<void> {
  await store.adoption.record({
    ...proxy,
    svidSerial: leaf.serial,
    principal: leaf.principal,
    agentVersion: '1',
    agentBundleVersion: authority.bundleFor(proxy).version,
    consumers: [],
    connected: true,
    lastSeenAt: clock.now(),
  });
}

/** Looks until the step says that nothing is left. By time, not by count: after a look that was slow the next is put off. */
async function until(step: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + longest; Date.now() < deadline; ) if (await step()) return;
  throw new Error(`the way ${way} does not end`);
}

async function rotate(app: App, end: 'done' | 'aborted'): Promise<void> {
  const { rotation, authority } = app;
  await until(async () => {
    await report(app);
    await rotation.tick();
    const { rotation: present, activeRoot, gate } = await rotation.status();
    if (present?.phase === end) return true;
    if (present?.phase === 'canary' && authority.bundle().authorities.length > 1)
      throw new Error('the new root was given to all before the end of the canary');
    if (!present) await rotation.start({ ...order, oldRoot: activeRoot, crossSign: true, canary });
    else if (present.phase === 'canary' && end === 'aborted')
      await rotation.abort({ ...order, phase: present.phase });
    else if (gate?.open && present.phase !== 'retire' && present.phase !== 'undo')
      await rotation.continue({ ...order, phase: present.phase, force: false });
    return false;
  });
}

/** The orders of an operator who gives each anew that was cut off. */
async function compromise(app: App): Promise<void> {
  const { store, authority, rotation, revocations, revocationOrders } = app;
  const taint = createTaint({
    store: store.authorities,
    audit: store.audit,
    authority,
    clock,
    log: silentLog,
  });
  const takeOut = async (id: string) => {
    await until(async () => (await taint({ ...order, id })).waitsFor === undefined);
    await revocationOrders.revokeAuthority({ ...order, id, dryRun: false });
    await revocations.tick();
  };
  await revocationOrders.revoke({
    ...order,
    target: { kind: 'serial', serial: leaf.serial },
    code: 'keyCompromise',
    dryRun: false,
  });
  const issuer = (await store.issuance.get(leaf.serial))?.issuer ?? '';
  await takeOut(issuer);
  await until(async () => {
    await report(app);
    await rotation.tick();
    await revocations.tick();
    const { rotation: present, activeRoot, gate } = await rotation.status();
    if (present?.phase === 'done') return true;
    if (!present) await rotation.start({ ...order, oldRoot: activeRoot });
    else if (present.phase === 'distribute' && gate?.open)
      await rotation.continue({ ...order, phase: present.phase, force: false });
    // Where the order was cut off the root may have left the bundle already, and its key is left to the rotation.
    else if (present.phase === 'drain' || present.phase === 'retire') await takeOut(present.oldRoot);
    return false;
  });
}

async function rehearse({ rehearsal }: App): Promise<void> {
  const { steps } = await rehearsal.rehearse(order);
  const failed = steps.filter(({ result }) => result !== 'done');
  if (failed.length > 0) throw new Error(failed.map(({ name, detail }) => `${name}: ${detail}`).join('; '));
}

/** What a recovery begins with: a rotation in the phase that the way names. */
async function prepareRecovery({ rotation }: App): Promise<void> {
  if (way === 'recovered') return;
  const { activeRoot } = await rotation.status();
  await rotation.start({
    ...order,
    oldRoot: activeRoot,
    ...(way === 'recovered-onward' ? { lifetime: 10 * year } : {}),
  });
  if (way === 'recovered-drain') await rotation.continue({ ...order, phase: 'distribute', force: true });
}

/** With the server stopped. Once the root is another one there is nothing to replace. */
async function replaceEndedRoot(): Promise<void> {
  try {
    await using ended = await openEndedRoot(settings(), silentLog, {
      store: await openStore(),
      homes,
      clock,
    });
    await ended.replace(order);
  } catch (error) {
    if (!isCitadelError(error, 'FailedPrecondition') || !error.message.includes('is valid until'))
      throw error;
  }
}

async function recordOf({ store }: App): Promise<string[]> {
  const { items } = await store.audit.find({ limit: 1000 });
  return [
    ...new Set(
      items.flatMap(({ action, details: { effect, recovery } }) => [
        action,
        ...(effect === undefined ? [] : [`effect:${effect}`]),
        ...(recovery === undefined ? [] : [`recovery:${action}`]),
      ]),
    ),
  ];
}

async function go(): Promise<App> {
  points.counting = way === 'rehearsed' || isRecovery;
  if (isRecovery) await replaceEndedRoot();
  const app = await start();
  if (!points.counting) await populate(app);
  points.counting = true;
  if (way === 'done' || way === 'aborted') await rotate(app, way);
  else if (way === 'revoked') await compromise(app);
  else if (way === 'rehearsed') await rehearse(app);
  else
    await until(async () => {
      await app.rotation.tick();
      return (await app.rotation.status()).rotation?.phase === 'done';
    });
  points.counting = false;
  return app;
}

async function prepare(): Promise<App> {
  const app = await start();
  if (isRecovery) await prepareRecovery(app);
  else {
    points.counting = true;
    await rehearse(app);
  }
  return app;
}

async function main(): Promise<void> {
  const app = isPreparing ? await prepare() : await go();
  const onRecord = await recordOf(app);
  await app.stop();
  process.stdout.write([points.passed, ...onRecord].join(' '));
}

await main();
