import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../../../../src/adapters/store/sqlite/index.ts';
import { silentLog, systemClock } from '../../../../../src/kernel/index.ts';
import { auditEvent, intent } from '../../../../contract/store-samples.ts';

// Records issuances into the store named by the first argument until it is killed. Each line on stdout acknowledges:
// `i SERIAL` an intent, `r SERIAL` its result together with its audit event.

const store = await openSqliteStore({ file: process.argv[2] ?? '', clock: systemClock, log: silentLog });
// Synchronous, so that what is acknowledged has left this process before it can be killed.
const acknowledge = (kind: 'i' | 'r', serial: string) => writeSync(1, `${kind} ${serial}\n`);

async function record(): Promise<never> {
  for (;;) {
    const one = intent();
    await store.issuance.recordIntent(one);
    acknowledge('i', one.serial);
    await Promise.all([
      store.issuance.recordResult({ serial: one.serial, state: 'issued', certificate: randomBytes(700) }),
      store.audit.append(auditEvent({ target: one.serial })),
    ]);
    acknowledge('r', one.serial);
  }
}

await Promise.all(Array.from({ length: 32 }, record));
