import { SpiffeId } from '@citadel/spiffe';
import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import { createLeafService } from '../../src/domain/issuance/index.ts';
import { silentLog, systemClock, systemEntropy } from '../../src/kernel/index.ts';
import { readCertificateRequest } from '../../src/pki/index.ts';
import { temporaryDirectory } from '../../test/parts/index.ts';
import { citadelSide } from './citadel-side.ts';
import { benchDurable } from './durable.ts';
import { activeIssuer, createFixture, type Fixture } from './fixture.ts';
import { measure, printRates, type Side, saturate } from './measure.ts';

/** Enough to fill a group commit, as many callers at once do. */
const concurrency = 256;

/** The same issuance with its durable record: intent committed before the signature, result before the reply. */
export async function recordedIssuance(seconds: number): Promise<void> {
  await using directory = await temporaryDirectory('bench');
  const fixture = await createFixture();
  const store = await openSqliteStore({
    file: directory.join('bench.db'),
    clock: systemClock,
    log: silentLog,
  });
  try {
    const rates = await measure([citadelSide(fixture), recordedSide(fixture, store.issuance)], seconds);
    console.log(
      '\nThe same, and with the durable record (SQLite, synchronous=FULL, group commit); certificates a CPU second',
    );
    printRates(rates);
    const [bare, recorded] = rates.map(({ perCpuSecond }) => perCpuSecond);
    console.log(`  with the record / without: ${((recorded ?? 0) / (bare ?? 1)).toFixed(2)}`);
  } finally {
    await store.close();
  }
  await benchDurable({ seconds, directory: directory.path });
}

function recordedSide(fixture: Fixture, store: Parameters<typeof createLeafService>[0]['store']): Side {
  const { requestPem, spiffeId } = fixture;
  const hour = 3_600_000;
  const leaves = createLeafService({
    validity: { defaultTtl: hour, maximumTtl: hour, notBeforeSkew: 120_000 },
    store,
    clock: systemClock,
    entropy: systemEntropy,
  });
  const issuer = activeIssuer(fixture);
  const id = SpiffeId.parse(spiffeId);
  return {
    name: 'Citadel, recorded',
    run: (seconds) =>
      saturate(seconds, concurrency, async () => {
        const { publicKey } = await readCertificateRequest(requestPem);
        await leaves.sign(issuer, {
          spki: publicKey.spki,
          spiffeId: id,
          principal: 'development:bench/workload/1',
          proxyKey: () => 'development:bench/workload/1',
          requestedSeconds: 0n,
        });
      }),
  };
}
