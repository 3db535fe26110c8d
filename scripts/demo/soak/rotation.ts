import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { FleetAgent } from '../../../test/support/fleet/index.ts';
import type { Relay } from '../../../test/support/relay.ts';
import { Killer } from '../root-rotation/killer.ts';
import { isOpen, type Terminal } from '../root-rotation/terminal.ts';
import type { World } from '../world.ts';
import type { Faults } from './faults.ts';
import type { Handshakes } from './handshakes.ts';

export interface Soak {
  readonly world: World;
  readonly terminal: Terminal;
  readonly agents: readonly FleetAgent[];
  readonly ways: readonly Relay[];
  readonly handshakes: Handshakes;
  /** Of each kind, at each step. */
  readonly pairs: number;
  /** The file that agents know the server by before their first certificate, as a platform would mount it. */
  readonly bundleFile: string;
}

/** Seconds that each phase took. */
export type Times = Readonly<Record<'distribute' | 'drain' | 'retire', number>>;

/** One rotation, with handshakes at each step and faults on the way. */
export async function rotateOnce(soak: Soak, name: string, faults: Faults): Promise<Times> {
  const { world, terminal, handshakes, pairs } = soak;
  const killer = new Killer(world, terminal, new Set([faults.kill]));
  const step = (what: string) => handshakes.sample(`${name}, ${what}`, pairs);
  const began = performance.now();
  await killer.order('rotation.start', 'start', name);
  await step('while both roots are handed out');
  await publishBundle(soak);
  await disturb(soak, 'distribute', faults, killer);
  await terminal.until('everybody to use both roots', isOpen);
  await step('with both roots everywhere');

  const distributed = performance.now();
  await killer.order('rotation.drain', 'continue', '');
  await step('just after the new root signs');
  await disturb(soak, 'drain', faults, killer);
  await step('while certificates under both roots are valid');
  await terminal.until('the certificates under the old root to end', isOpen);
  await step('with no certificate under the old root');

  const drained = performance.now();
  await killer.order('rotation.retire', 'continue', '');
  await step('while the old root leaves');
  await publishBundle(soak);
  await terminal.until('the end', ({ phase }) => phase === 'done');
  await step('with the new root alone');
  const ended = performance.now();
  if (killer.missed.length > 0) throw new Error(`${name}: the server was not killed at ${faults.kill}`);
  return {
    distribute: (distributed - began) / 1000,
    drain: (drained - distributed) / 1000,
    retire: (ended - drained) / 1000,
  };
}

/** What goes wrong in this phase; where somebody is cut off, the phase must not end meanwhile. */
async function disturb(
  { agents, ways, terminal }: Soak,
  phase: 'distribute' | 'drain',
  { cut, restarts }: Faults,
  killer: Killer,
): Promise<void> {
  await killer.wait(`waiting in ${phase}`);
  if (restarts.phase === phase)
    await Promise.all(
      restarts.agents.map(async (index) => {
        await agents[index]?.stop();
        await agents[index]?.start();
      }),
    );
  if (cut.phase !== phase) return;
  const way = ways[cut.way];
  way?.cut();
  try {
    await delay(cut.milliseconds);
    if (phase === 'distribute' && (await terminal.run('rotate', 'continue', '--yes')).code === 0)
      throw new Error('distribute ended though agents were cut off');
  } finally {
    way?.mend();
  }
}

const shown = z.object({ pem: z.string() });

/** Does what a platform does: puts the present bundle where agents that begin find it. */
export async function publishBundle({ world, bundleFile }: Pick<Soak, 'world' | 'bundleFile'>) {
  const { pem } = shown.parse(JSON.parse(await world.operator('bundle', 'show', '-o', 'json')));
  await writeFile(`${bundleFile}.new`, pem);
  await rename(`${bundleFile}.new`, bundleFile);
}
