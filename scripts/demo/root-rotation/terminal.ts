import { z } from 'zod';
import { waitFor } from '../../../test/parts/index.ts';
import type { Outcome } from '../../../test/support/citadel.ts';
import { say } from '../say.ts';
import type { World } from '../world.ts';

const mostLines = 12;
const widest = 150;

/** What `rotate status -o json` says, as far as it is looked at. */
const status = z.object({
  phase: z.string(),
  gate: z
    .object({
      open: z.boolean(),
      leaves: z.number(),
      proxies: z.array(z.object({ spiffeId: z.string(), standing: z.string(), waited: z.boolean() })),
    })
    .optional(),
});
export type Status = z.infer<typeof status>;

/** An operator at a terminal: the viewer sees the commands, and what matters of their output. */
export class Terminal {
  readonly #world: World;
  readonly #options: { readonly quiet?: boolean; readonly interval?: number };

  /** @param options.interval milliseconds between two looks at the status, where something is waited for */
  constructor(world: World, options: { readonly quiet?: boolean; readonly interval?: number } = {}) {
    this.#world = world;
    this.#options = options;
  }

  /** Runs a command and shows it. */
  async run(...args: readonly string[]): Promise<Outcome> {
    const outcome = await this.#world.tryOperator(...args);
    if (this.#options.quiet) return outcome;
    say(`   $ citadel ${args.map(quoted).join(' ')}`);
    const lines = `${outcome.stdout}${outcome.stderr}`.trimEnd().split('\n');
    for (const line of lines.slice(0, mostLines)) say(`     ${shortened(line)}`);
    if (lines.length > mostLines) say(`     ... ${lines.length - mostLines} lines more`);
    if (outcome.code !== 0) say(`     (exit code ${outcome.code})`);
    return outcome;
  }

  /** The same for one that must succeed. */
  async expect(...args: readonly string[]): Promise<void> {
    const outcome = await this.run(...args);
    if (outcome.code !== 0) throw ended(args, outcome);
  }

  /** Looks at the status without showing it. */
  async status(): Promise<Status> {
    return status.parse(JSON.parse(await this.#world.operator('rotate', 'status', '-o', 'json')));
  }

  /** Looks at the status until it is as wanted. */
  async until(what: string, reached: (status: Status) => boolean): Promise<Status> {
    const { interval = 500 } = this.#options;
    return waitFor(
      async () => {
        const present = await this.status();
        return reached(present) && present;
      },
      { what, deadline: 300_000, interval },
    );
  }
}

/** The error of a command that should have succeeded. */
export function ended(args: readonly string[], { code, stderr }: Outcome): Error {
  return new Error(`citadel ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
}

export function isOpen({ gate }: Status): boolean {
  return gate?.open === true;
}

function quoted(arg: string): string {
  return /^[\w./:=-]+$/.test(arg) ? arg : `"${arg}"`;
}

function shortened(line: string): string {
  const short = line.replace(/\b[0-9a-f]{24,}\b/g, (hex) => `${hex.slice(0, 12)}…`).trimEnd();
  return short.length > widest ? `${short.slice(0, widest - 1)}…` : short;
}
