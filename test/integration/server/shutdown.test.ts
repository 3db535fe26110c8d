import { EventEmitter, once } from 'node:events';
import { expect, it } from 'vitest';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/index.ts';
import { silentLog, systemClock } from '../../../src/kernel/index.ts';
import { parseCertificate } from '../../../src/pki/index.ts';
import { caught } from '../../support/observe.ts';
import { newRequest, startTestServer } from '../../support/server.ts';

it('a shutdown finishes the calls that it began, and takes no more', async () => {
  const store = await openSqliteStore({ file: ':memory:', clock: systemClock, log: silentLog });
  let armed = false;
  const signs = new EventEmitter();
  const [reached, released] = [once(signs, 'reached'), once(signs, 'released')];
  const server = await startTestServer(
    {},
    {
      store: {
        ...store,
        issuance: {
          ...store.issuance,
          // The server's own certificate is recorded at its start: only the workload's is held up.
          recordResult: async (...result) => {
            await store.issuance.recordResult(...result);
            if (!armed) return;
            signs.emit('reached');
            await released;
          },
        },
      },
    },
  );
  const token = (await server.token()).reveal();
  const { csr } = await newRequest();
  armed = true;
  const begun = server.create({ csr }, { token });
  await reached;
  const stopped = server.stop();
  const late = caught(server.create({ csr }, { token }));
  armed = false;
  expect((await late)?.code).toBe(14);
  signs.emit('released');
  const { certChain } = await begun;
  expect(parseCertificate(certChain[0] ?? '').uris).toEqual(['spiffe://example.org/ns/shop/sa/web']);
  await stopped;
});
