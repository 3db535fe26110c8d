import { parseArgs } from 'node:util';
import { compromiseActions } from '../../src/domain/authority/index.ts';
import { recoveryPhases, rehearsalActions, rotationEffects } from '../../src/domain/rotation/index.ts';
import { Random } from '../../test/oracle/generate/random.ts';
import { type SoftHsm, startSoftHsm, temporaryDirectory } from '../../test/parts/index.ts';
import { Home } from './crash/home.ts';
import { type Way, ways } from './crash/ways.ts';

const usage = 'usage: crash-rotation [--every 1 | --seed N [--points 20]] [--home disk|pkcs11] [--way NAME]';

const { values } = parseArgs({
  options: {
    every: { type: 'string' },
    seed: { type: 'string' },
    points: { type: 'string' },
    home: { type: 'string', default: 'disk' },
    way: { type: 'string' },
  },
});
const every = Number(values.every ?? '1');
const drawn = Number(values.points ?? '20');
const seed = values.seed === undefined ? undefined : Number(values.seed);
const onToken = values.home === 'pkcs11';
const chosen = ways.filter(({ name }) => values.way === undefined || name === values.way);
const isMeant =
  [every, drawn, seed ?? 0].every(Number.isInteger) &&
  every >= 1 &&
  drawn >= 1 &&
  (values.every === undefined || seed === undefined) &&
  (values.points === undefined || seed !== undefined);
if (!isMeant || chosen.length === 0 || !(onToken || values.home === 'disk')) {
  console.error(usage);
  process.exit(2);
}

/** What is on record of a server that was whole: what none of the ways has met is a fault. */
const wanted: readonly string[] = [
  ...rotationEffects.map((effect) => `effect:${effect}`),
  ...compromiseActions,
  ...rehearsalActions,
  ...recoveryPhases.map((phase) => `recovery:rotation.${phase === 'prepare' ? 'start' : phase}`),
];

async function newToken(): Promise<SoftHsm | undefined> {
  const token = onToken ? await startSoftHsm() : undefined;
  if (token) process.env['SOFTHSM2_CONF'] = token.configuration;
  return token;
}

interface Whole {
  readonly way: Way;
  /** How many it has. */
  readonly points: number;
  readonly onRecord: readonly string[];
  readonly faults: readonly string[];
}

/** The way without a fall. */
async function goWhole(way: Way): Promise<Whole> {
  await using directory = await temporaryDirectory('crash-rotation');
  await using token = await newToken();
  const home = new Home(directory.path, token, way);
  await home.prepare();
  const result = await home.run(0);
  if ('diedAt' in result) throw new Error(`it died at ${result.diedAt} without being told to`);
  const { passed, onRecord } = result.ended;
  const faults = await home.faults();
  process.stdout.write(`${way.name}: ${passed} points, ${faults.join('; ') || 'well'}\n`);
  return { way, points: passed, onRecord, faults };
}

/** The way with a fall at one of its points, and gone on with. */
async function killedAt(way: Way, point: number): Promise<{ name: string; faults: readonly string[] }> {
  await using directory = await temporaryDirectory('crash-rotation');
  await using token = await newToken();
  const home = new Home(directory.path, token, way);
  await home.prepare();
  const result = await home.run(point);
  if (!('diedAt' in result)) return { name: 'none', faults: ['it did not die'] };
  await home.run(0);
  // Waited for here: what the home is in is taken away at the end of this.
  return { name: result.diedAt, faults: await home.faults() };
}

interface Kill {
  readonly whole: Whole;
  readonly point: number;
}

/** Those that were asked for, in the order of their ways; the same for the same seed. */
function killsOf(wholes: readonly Whole[]): readonly Kill[] {
  const all = wholes.flatMap((whole) =>
    Array.from({ length: whole.points }, (_, index) => ({ whole, point: index + 1 })),
  );
  if (seed === undefined) return all.filter(({ point }) => (point - 1) % every === 0);
  const random = new Random(seed);
  const left = [...all];
  const picked = new Set(
    Array.from({ length: Math.min(drawn, all.length) }, () => left.splice(random.int(left.length), 1)[0]),
  );
  return all.filter((kill) => picked.has(kill));
}

async function main(): Promise<void> {
  const wholes: Whole[] = [];
  for (const way of chosen) wholes.push(await goWhole(way));
  const kills = killsOf(wholes);
  let faults = wholes.reduce((sum, whole) => sum + whole.faults.length, 0);
  for (const { whole, point } of kills) {
    const { name, faults: found } = await killedAt(whole.way, point);
    const told = `${whole.way.name}, point ${point} of ${whole.points}, ${name}`;
    process.stdout.write(`${told}: ${found.length === 0 ? 'well' : found.join('; ')}\n`);
    faults += found.length;
  }
  const seen = new Set(wholes.flatMap(({ onRecord }) => onRecord));
  const missed = values.way === undefined ? wanted.filter((each) => !seen.has(each)) : [];
  if (missed.length > 0) process.stdout.write(`never seen: ${missed.join(', ')}\n`);
  const points = wholes.reduce((sum, whole) => sum + whole.points, 0);
  const ofSeed = seed === undefined ? '' : `seed ${seed}, `;
  process.stdout.write(
    `${ofSeed}points ${points}, kills ${kills.length}, faults ${faults + missed.length}\n`,
  );
  if (wholes.some((whole) => whole.points < 8) || faults + missed.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`crash-rotation: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
