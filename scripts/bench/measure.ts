/** One way to issue certificates, to be measured. */
export interface Side {
  readonly name: string;
  /** Works on at most one core's worth of issuances at a time for about `seconds`. */
  run(seconds: number): Promise<Sample>;
  close?(): void;
}

export interface Sample {
  readonly issued: number;
  /** User and system time of the whole process, all its threads. */
  readonly cpuSeconds: number;
}

/** Certificates a CPU second; the median of the rounds, as the machine has other things to do. */
export interface Rate {
  readonly name: string;
  readonly perCpuSecond: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Runs an operation over and over, `concurrency` at a time, and counts what it costs this process. */
export async function saturate(
  seconds: number,
  concurrency: number,
  operation: () => Promise<void> | void,
): Promise<Sample> {
  const before = process.cpuUsage();
  const end = performance.now() + seconds * 1000;
  let issued = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      await operation();
      issued++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const { user, system } = process.cpuUsage(before);
  return { issued, cpuSeconds: (user + system) / 1e6 };
}

/** Measures all sides by turns, a round each, so that what disturbs the machine disturbs them alike. */
export async function measure(sides: readonly Side[], seconds: number): Promise<Rate[]> {
  const rounds = Math.max(1, Math.round(seconds));
  const rates = new Map<Side, number[]>(sides.map((side) => [side, []]));
  // Compilers that work while a program runs need their time first.
  for (const side of sides) await side.run(2);
  for (let round = 0; round < rounds; round++) {
    for (const [side, all] of rates) {
      const { issued, cpuSeconds } = await side.run(seconds / rounds);
      all.push(issued / cpuSeconds);
    }
  }
  return [...rates].map(([side, all]) => {
    const sorted = all.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
    return { name: side.name, perCpuSecond: middle, lowest: sorted[0] ?? 0, highest: sorted.at(-1) ?? 0 };
  });
}

export function printRates(rates: readonly Rate[]): void {
  const width = Math.max(...rates.map(({ name }) => name.length));
  for (const { name, perCpuSecond, lowest, highest } of rates) {
    const figure = Math.round(perCpuSecond).toString().padStart(7);
    console.log(`  ${name.padEnd(width)} ${figure}  (${Math.round(lowest)} to ${Math.round(highest)})`);
  }
}
