import { readdir, readFile } from 'node:fs/promises';

/** The process of this name that this one has started. */
export async function processOf(program: string): Promise<number> {
  for (const entry of await readdir('/proc')) {
    const stat = /^\d+$/.test(entry) ? await statOf(Number(entry)).catch(() => undefined) : undefined;
    if (stat?.parent === process.pid && stat.name.startsWith(program)) return Number(entry);
  }
  throw new Error(`there is no ${program}`);
}

/** Of proc(5): name, parent, and the clock ticks of CPU that all threads have used. */
async function statOf(pid: number) {
  const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(await readFile(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const fields = rest.split(' ');
  return { name, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const microsecondsPerTick = 10_000;

/** Microseconds of CPU that a process has used. */
export async function processorTime(pid: number): Promise<number> {
  return (await statOf(pid)).ticks * microsecondsPerTick;
}
