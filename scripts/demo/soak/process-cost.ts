import { readFileSync } from 'node:fs';
import type { World } from '../world.ts';

/** proc(5): of /proc/PID/stat, after the name in parentheses; ticks are hundredths of a second. */
const [userTicks, systemTicks] = [11, 12];
const interval = 500;

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[userTicks]) + Number(fields[systemTicks])) / 100;
}

export function residentMebibytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  // One that has ended, and is not waited for yet, has none.
  return Number(kibibytes ?? 0) / 1024;
}

export interface Cost {
  readonly cpuSeconds: number;
  /** The most that was resident at once. */
  readonly mebibytes: number;
}

/** What a server costs, over the processes that it is one after the other. */
export class ServerCost implements Disposable {
  readonly #world: World;
  readonly #timer: NodeJS.Timeout;
  #pid = 0;
  #before = 0;
  #sum = 0;
  #most = 0;

  constructor(world: World) {
    this.#world = world;
    this.#look();
    this.#timer = setInterval(() => this.#look(), interval);
  }

  /** Since the last time. */
  take(): Cost {
    this.#look();
    const cost = { cpuSeconds: this.#sum, mebibytes: this.#most };
    [this.#sum, this.#most] = [0, 0];
    return cost;
  }

  #look(): void {
    const { pid } = this.#world.server;
    try {
      const now = cpuSeconds(pid);
      this.#sum += pid === this.#pid ? now - this.#before : now;
      this.#pid = pid;
      this.#before = now;
      this.#most = Math.max(this.#most, residentMebibytes(pid));
    } catch {
      // It is gone, and the next one is not there yet.
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
