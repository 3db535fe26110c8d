import { TrustDomain } from '@citadel/spiffe';
import {
  createDevelopmentAttestor,
  createDevelopmentTokenIssuer,
  generateDevelopmentIssuerKeys,
} from '../../../src/adapters/development/index.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/index.ts';
import { createIssuanceService, createLeafService } from '../../../src/domain/issuance/index.ts';
import { noMetrics } from '../../../src/domain/ports/index.ts';
import { createRenewalService } from '../../../src/domain/renewal/index.ts';
import { type Clock, silentLog, systemEntropy } from '../../../src/kernel/index.ts';
import { activeIssuer, createFixture } from '../fixture.ts';

export const lifetime = 3_600_000;
const trustDomain = 'example.org';
const audience = 'istio-ca';

/** The server's issuance and its choice of windows, over SQLite, without what carries them over the network. */
export async function startIssuing(clock: Clock, file: string) {
  const store = await openSqliteStore({ file, clock, log: silentLog });
  const issuer = activeIssuer(await createFixture());
  const leaves = createLeafService({
    validity: { defaultTtl: lifetime, maximumTtl: lifetime, notBeforeSkew: 120_000 },
    store: store.issuance,
    clock,
    entropy: systemEntropy,
  });
  const renewals = createRenewalService({
    store: store.issuance,
    authority: { isSuperseded: () => false, onSuperseded: () => () => {} },
    // While the clock stands still nothing takes time: what a busy server does is not shown here.
    meter: { load: () => ({ inFlight: 0, ended: 0, meanMilliseconds: 0 }) },
    metrics: noMetrics,
    clock,
  });
  await renewals.start();
  const keys = await generateDevelopmentIssuerKeys();
  const issuance = createIssuanceService({
    identity: { trustDomain: TrustDomain.parse(trustDomain), nodeCallers: new Set() },
    leaves,
    attestors: [createDevelopmentAttestor({ publicKey: keys.publicKey, audience, clock })],
    authority: { issuer: () => issuer, bundleFor: () => issuer.bundle },
    isConnected: () => false,
    renewals,
    audit: store.audit,
    metrics: noMetrics,
    clock,
    log: silentLog,
  });
  const tokens = await createDevelopmentTokenIssuer(keys.privateKey, clock);
  return {
    issuance,
    renewals,
    store,
    issuer,
    token: (instance: string) =>
      tokens.issue({ namespace: 'bench', serviceAccount: 'workload', instance }, audience, 24 * lifetime),
    async [Symbol.asyncDispose]() {
      await renewals.close();
      await store.close();
    },
  };
}
