import type { ServedCrl } from '../api/http/index.ts';
import type { AuthorityService, AuthorityServiceOptions } from '../domain/authority/index.ts';
import type { ProxyState } from '../domain/mesh/index.ts';
import { type AuthorityRecord, type KeyManager, type Store, secretTypeUrl } from '../domain/ports/index.ts';
import {
  createRevocationService,
  createRevoke,
  createRevokeAuthority,
  type RevocationReport,
  type RevocationService,
  type RevokeAuthority,
  type RevokeCertificates,
  reportRevocation,
  takesCrls,
  waitsForCrl,
} from '../domain/revocation/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import type { Clock, Log } from '../kernel/index.ts';
import { type CertificateSigner, parseCertificate, whyNoCrls } from '../pki/index.ts';
import type { UpstreamOptions } from './upstream.ts';

/** What was revoked, and the CRLs of all authorities whose keys are within reach. */
export async function openRevocations(
  { store, homes, clock, log }: Pick<UpstreamOptions, 'store' | 'homes' | 'clock' | 'log'>,
  authorities: () => readonly AuthorityRecord[],
): Promise<RevocationService> {
  const signerOf = async (authority: AuthorityRecord): Promise<CertificateSigner | undefined> => {
    const { kind, keyBackend, keyId } = authority;
    if (keyId === '') return undefined;
    const keys = kind === 'issuing' ? homes.issuing : await homes.rootOf(keyBackend);
    return keys?.get(keyId);
  };
  const service = createRevocationService({ store: store.revocations, authorities, signerOf, clock, log });
  await service.start();
  return service;
}

export interface RevocationOrderPorts {
  readonly store: Store;
  readonly authority: AuthorityService;
  readonly revocations: RevocationService;
  readonly certificates: Pick<ServingCertificateSource, 'tick'>;
  readonly issuingKeys: KeyManager;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RevocationOrders {
  readonly revoke: RevokeCertificates;
  readonly revokeAuthority: RevokeAuthority;
  readonly revocations: () => Promise<RevocationReport>;
}

/** What operators may order, and what they are told. */
export function revocationOrders(ports: RevocationOrderPorts): RevocationOrders {
  const { store, authority, revocations, certificates, issuingKeys, clock, log } = ports;
  const { issuance, audit } = store;
  return {
    revoke: createRevoke({ issuance, authorities: store.authorities, audit, revocations, clock, log }),
    revokeAuthority: createRevokeAuthority({
      store: store.authorities,
      issuance,
      audit,
      authority,
      revocations,
      issuingKeys,
      renewOwn: () => certificates.tick(),
      clock,
      log,
    }),
    revocations: async () =>
      reportRevocation({
        status: revocations.status(),
        authorities: authority.records(),
        reports: await store.adoption.list(),
        leaves: (await issuance.liveLeaves(clock.now())).filter((leaf) => !revocations.isRevoked(leaf)),
      }),
  };
}

/** What is given out over HTTP: the newest CRL of each authority that is not gone. */
export function servedCrls(
  authority: Pick<AuthorityService, 'records'>,
  revocations: Pick<RevocationService, 'crl'>,
): readonly ServedCrl[] {
  return authority.records().flatMap(({ id, fingerprint }) => {
    const crl = revocations.crl(fingerprint);
    return crl ? [{ id, issuer: fingerprint, number: crl.number, der: crl.der }] : [];
  });
}

/** Keeps an authority from signing before whoever verifies by CRLs has its own. */
export function crlGate(
  revocations: RevocationService,
  { store, longestLeaf, proxies, clock, log }: CrlGatePorts,
): NonNullable<AuthorityServiceOptions['crls']> {
  let told = '';
  return {
    born: (authority, signer) => revocations.born(authority, signer),
    async mayActivate(next, present) {
      const seen = revocations.look(next.fingerprint);
      if (seen.enforcement.kind !== 'enforced') return true;
      const now = clock.now();
      const noCrls = whyNoCrls(parseCertificate(next.certificate));
      if (takesCrls({ noCrls, present, now })) {
        if (told !== next.id)
          log.warn('an authority does not sign yet: what is revoked would be good again', {
            authority: next.id,
            cause: noCrls,
          });
        told = next.id;
        return false;
      }
      const [reports, live] = await Promise.all([store.adoption.list(), store.issuance.liveLeaves(now)]);
      const leaves = live.filter((leaf) => !revocations.isRevoked(leaf));
      const evidence = { reports, leaves, discovery: proxies().flatMap(trustByDiscovery) };
      const waited = waitsForCrl({ ...seen, next, present, evidence, longestLeaf, now });
      if (waited.length > 0 && told !== next.id)
        log.info('an authority waits until its CRL is in use', {
          authority: next.id,
          waitsFor: waited.length,
        });
      told = waited.length > 0 ? next.id : '';
      return waited.length === 0;
    },
  };
}

export interface CrlGatePorts {
  readonly store: Pick<Store, 'adoption' | 'issuance'>;
  /** Milliseconds. */
  readonly longestLeaf: number;
  readonly proxies: () => readonly ProxyState[];
  readonly clock: Clock;
  readonly log: Log;
}

function trustByDiscovery({ proxy: { proxyKey }, isBehind, resources }: ProxyState) {
  const secrets = resources.filter(({ typeUrl }) => typeUrl === secretTypeUrl);
  if (secrets.length === 0) return [];
  return [{ proxyKey, accepted: !isBehind && secrets.every(({ accepted, wanted }) => accepted === wanted) }];
}
