import { say } from '../say.ts';
import type { World } from '../world.ts';
import type { KillPoint } from './kills.ts';
import { ended, isOpen, type Terminal } from './terminal.ts';

/** Kills the server where the seed says so, and gives an order again that was cut off. */
export class Killer {
  readonly points: readonly KillPoint[];
  readonly #world: World;
  readonly #terminal: Terminal;
  readonly #done = new Set<KillPoint>();

  constructor(world: World, terminal: Terminal, points: ReadonlySet<KillPoint>) {
    this.#world = world;
    this.#terminal = terminal;
    this.points = [...points];
  }

  get missed(): readonly KillPoint[] {
    return this.points.filter((point) => !this.#done.has(point));
  }

  /** Kills the server while it waits for something. */
  async wait(point: KillPoint): Promise<void> {
    if (!this.points.includes(point)) return;
    await this.#kill(point);
  }

  /** Gives an order; it may be cut off in the midst of what it does. */
  async order(point: KillPoint, order: 'start' | 'continue', reason: string): Promise<void> {
    const command = ['rotate', order, '--yes', ...(reason === '' ? [] : ['--reason', reason])];
    if (!this.points.includes(point)) return this.#terminal.expect(...command);
    const before = (await this.#terminal.status()).phase;
    const begun = this.#world.server.line(new RegExp(`"message":"${point.replace('.', '\\.')}"`));
    const killed = begun.then(() => this.#kill(point));
    await Promise.all([this.#terminal.run(...command), killed]);
    await this.#terminal.run('rotate', 'status');
    // What had taken effect goes on by itself; what had not is ordered again, once all have come back to the new server.
    const settled = await this.#terminal.until(
      'the order to have taken effect, or to be allowed again',
      (status) => status.phase !== before || order === 'start' || isOpen(status),
    );
    if (settled.phase !== before) return;
    const again = await this.#terminal.run(...command);
    // Or it took effect between that look and this order, which then was about the phase after it.
    if (again.code !== 0 && (await this.#terminal.status()).phase === before) throw ended(command, again);
  }

  async #kill(point: KillPoint): Promise<void> {
    await this.#world.crashServer();
    this.#done.add(point);
    say(`   kill -9: the server died at "${point}", and was started again`);
  }
}
