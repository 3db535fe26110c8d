import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import type { Store } from '../../src/domain/ports/index.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';

export interface DurableBenchOptions {
  /** How long each of the two measurements takes. */
  readonly seconds: number;
  /** Issuances under way at the same time, for the group commit; 256 by default. */
  readonly concurrency?: number;
  /** Where the store is put; the disk under it decides the result. The working directory by default. */
  readonly directory?: string;
}

export interface DurableBenchResult {
  /** An issuance is two rows: its intent, and after its commit its result. */
  readonly groupedRowsPerSecond: number;
  readonly singleRowsPerSecond: number;
  readonly ratio: number;
}

/** Measures and prints what the durable record costs: intent and result with group commit, against one by one. */
export async function benchDurable(options: DurableBenchOptions): Promise<DurableBenchResult> {
  const { seconds, concurrency = 256, directory = process.cwd() } = options;
  const singleRowsPerSecond = await measure(directory, seconds, 1);
  const groupedRowsPerSecond = await measure(directory, seconds, concurrency);
  const ratio = groupedRowsPerSecond / singleRowsPerSecond;
  console.log(
    `durable record (SQLite, synchronous=FULL): one by one ${Math.round(singleRowsPerSecond)} rows/s, ` +
      `group commit of ${concurrency} at once ${Math.round(groupedRowsPerSecond)} rows/s ` +
      `(${Math.round(groupedRowsPerSecond / 2)} issuances/s), ratio ${ratio.toFixed(1)}`,
  );
  return { groupedRowsPerSecond, singleRowsPerSecond, ratio };
}

/** @returns acknowledged rows a second, at `concurrency` issuances at the same time */
async function measure(directory: string, seconds: number, concurrency: number): Promise<number> {
  const folder = mkdtempSync(join(directory, '.bench-durable-'));
  try {
    const file = join(folder, 'store.db');
    const store = await openSqliteStore({ file, clock: systemClock, log: silentLog });
    await record(store, concurrency, 0.2);
    const started = performance.now();
    const rows = await record(store, concurrency, seconds);
    const elapsed = (performance.now() - started) / 1000;
    await store.close();
    return rows / elapsed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Records issuances of a fleet of 1000 workloads. @returns how many rows were acknowledged */
async function record(store: Store, concurrency: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  const issuer = createHash('sha256').update('issuer').digest('hex');
  const bundleVersion = createHash('sha256').update('bundle').digest('hex');
  const certificate = randomBytes(650);
  let rows = 0;
  async function issue(): Promise<void> {
    while (performance.now() < end) {
      const serial = randomBytes(16).toString('hex');
      const workload = rows % 1000;
      const now = new Date();
      await store.issuance.recordIntent({
        serial,
        spiffeId: `spiffe://cluster.local/ns/bench/sa/workload-${workload}`,
        principal: `kubernetes:Kubernetes/bench/workload-${workload}/${serial}`,
        proxyKey: serial,
        issuer,
        tbsDigest: createHash('sha256').update(serial).digest('hex'),
        bundleVersion,
        notBefore: now,
        notAfter: new Date(now.getTime() + 3_600_000),
        recordedAt: now,
      });
      await store.issuance.recordResult({ serial, state: 'issued', certificate });
      rows += 2;
    }
  }
  await Promise.all(Array.from({ length: concurrency }, issue));
  return rows;
}

if (import.meta.main) await benchDurable({ seconds: Number(process.argv[2] ?? 3) });
