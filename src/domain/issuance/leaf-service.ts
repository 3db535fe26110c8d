import type { SpiffeId } from '@citadel/spiffe';
import { CitadelError, type Clock, type Entropy, toCitadelError } from '../../kernel/index.ts';
import { checkIssued, lintLeaf, servingProfile, toPem } from '../../pki/index.ts';
import type { ActiveIssuer } from '../authority/index.ts';
import type { IssuanceStore } from '../ports/index.ts';
import type { TrustBundleSnapshot } from '../trust/index.ts';
import { decideValidity, type ValidityPolicy } from './validity.ts';

export interface LeafServiceOptions {
  readonly validity: ValidityPolicy;
  readonly store: IssuanceStore;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** A decision already made: for whom a certificate is, over which key. */
export interface LeafRequest {
  /** SPKI DER. */
  readonly spki: Uint8Array;
  readonly spiffeId: SpiffeId;
  /** Who proved what, for the inventory. */
  readonly principal: string;
  readonly proxyKey: (serial: string) => string;
  /** What goes with the certificate; absent: the bundle that everybody is given. */
  readonly bundleFor?: (proxyKey: string) => TrustBundleSnapshot;
  /** Zero asks for the default. */
  readonly requestedSeconds: bigint;
  /** For the server's own certificates alone. */
  readonly hosts?: { readonly dns: readonly string[]; readonly ips: readonly string[] };
}

export interface IssuedCertificate {
  readonly spiffeId: SpiffeId;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** PEM, leaf first, then one intermediate an element; without roots. */
  readonly chainPem: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The bundle that goes with this certificate. */
  readonly bundle: TrustBundleSnapshot;
}

/** Every leaf is made here: linted, its intent recorded, signed, checked, its result recorded. */
export interface LeafService {
  sign(issuer: ActiveIssuer, request: LeafRequest): Promise<IssuedCertificate>;
}

/** 128 random bits (CA/B BRs ask for 64; RFC 5280, section 4.1.2.2, allows 20 octets). */
const serialLength = 16;

export function createLeafService({ validity, store, clock, entropy }: LeafServiceOptions): LeafService {
  return {
    async sign(issuer, request) {
      const now = clock.now();
      const { notBefore, notAfter } = decideValidity(
        request.requestedSeconds,
        issuer.chainNotAfter,
        now,
        validity,
      );
      const { spki, hosts } = request;
      const uri = request.spiffeId.toString();
      const fields = {
        spki,
        notBefore,
        notAfter,
        ...(hosts ? { profile: servingProfile, dns: hosts.dns, ips: hosts.ips } : {}),
      };
      const prepared = issuer.leafIssuer.prepare({
        ...fields,
        spiffeId: uri,
        serial: entropy.bytes(serialLength),
      });
      const serial = prepared.serialHex;
      const proxyKey = request.proxyKey(serial);
      const bundle = request.bundleFor?.(proxyKey) ?? issuer.bundle;
      refuseUnfit(lintLeaf(prepared.tbs, { ...fields, uri }));
      await store.recordIntent({
        serial,
        spiffeId: uri,
        principal: request.principal,
        proxyKey,
        issuer: issuer.record.fingerprint,
        tbsDigest: prepared.tbsDigest,
        bundleVersion: bundle.version,
        notBefore,
        notAfter,
        recordedAt: now,
      });
      const certificate = await signAndCheck(issuer, prepared).catch(async (error: unknown) => {
        await store.recordResult({ serial, state: 'failed', reason: toCitadelError(error).message });
        throw error;
      });
      await store.recordResult({ serial, state: 'issued', certificate });
      return {
        spiffeId: request.spiffeId,
        serial,
        certificate,
        chainPem: [toPem(certificate), ...issuer.chainPem],
        notBefore,
        notAfter,
        bundle,
      };
    },
  };
}

async function signAndCheck(
  { leafIssuer }: ActiveIssuer,
  prepared: Parameters<typeof leafIssuer.sign>[0],
): Promise<Uint8Array> {
  const certificate = await leafIssuer.sign(prepared);
  refuseUnfit(await checkIssued(certificate, prepared, leafIssuer));
  return certificate;
}

function refuseUnfit(findings: readonly string[]): void {
  if (findings.length === 0) return;
  throw new CitadelError('Internal', 'the certificate failed its own check and was not issued', {
    details: findings.join('; '),
  });
}
