import { isIP } from 'node:net';
import { SpiffeId, type TrustDomain } from '@citadel/spiffe';
import { type Clock, Secret } from '../../kernel/index.ts';
import { generateKeyPair, parseCertificate, toPem } from '../../pki/index.ts';
import type { AuthorityService } from '../authority/index.ts';
import type { LeafService } from '../issuance/index.ts';

/** The certificate that our own listeners show. */
export interface ServingCertificate {
  /** PEM: leaf and intermediates. */
  readonly chainPem: string;
  /** PKCS#8, PEM. */
  readonly privateKeyPem: Secret<string>;
  readonly bundlePem: string;
  readonly serial: string;
  readonly notAfter: Date;
}

/** A serving certificate that renews itself; listeners follow it without a restart. */
export interface ServingCertificateSource {
  current(): ServingCertificate;
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
  /** Renews when half of the life is over, or the issuing authority or the bundle has changed. Safe to repeat. */
  tick(): Promise<void>;
}

export interface ServingOptions {
  readonly trustDomain: TrustDomain;
  /** DNS names and IP addresses that clients call the server by. */
  readonly names: readonly string[];
  readonly authority: Pick<AuthorityService, 'issuer'>;
  readonly leaves: LeafService;
  readonly serverId: string;
  readonly clock: Clock;
}

/** Issues the server's certificate by its own authority. Its key is made here and never written. */
export async function createServingCertificateSource(
  options: ServingOptions,
): Promise<ServingCertificateSource> {
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  let held = await issue(options);
  return {
    current: () => held.certificate,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async tick() {
      const { record, bundle } = options.authority.issuer();
      const fresh =
        options.clock.now() < held.renewAt &&
        held.authority === record.fingerprint &&
        held.bundleVersion === bundle.version;
      if (fresh) return;
      held = await issue(options);
      for (const listener of listeners) listener(held.certificate);
    },
  };
}

interface Held {
  readonly certificate: ServingCertificate;
  readonly renewAt: Date;
  readonly authority: string;
  readonly bundleVersion: string;
}

async function issue({
  authority,
  leaves,
  names,
  serverId,
  trustDomain,
  clock,
}: ServingOptions): Promise<Held> {
  const issuer = authority.issuer();
  const pair = await generateKeyPair('ecdsa-p256');
  const issued = await leaves.sign(issuer, {
    spki: pair.spki,
    spiffeId: SpiffeId.of(trustDomain, 'citadel', 'server', serverId),
    principal: `server:${serverId}`,
    proxyKey: () => `server:${serverId}`,
    requestedSeconds: 0n,
    hosts: {
      dns: names.filter((name) => isIP(name) === 0).map((name) => name.toLowerCase()),
      ips: names.filter((name) => isIP(name) !== 0),
    },
  });
  // A client that trusts by a pin must be shown the root; TLS lets others ignore it (RFC 8446, section 4.4.2).
  const root = issued.bundle.authorities
    .filter((der) => parseCertificate(der).fingerprint === issuer.record.rootFingerprint)
    .map((der) => toPem(der));
  const life = issued.notAfter.getTime() - clock.now().getTime();
  return {
    certificate: {
      chainPem: [...issued.chainPem, ...root].join(''),
      privateKeyPem: new Secret(toPem(pair.privateKeyPkcs8.reveal(), 'PRIVATE KEY')),
      bundlePem: issued.bundle.pem,
      serial: issued.serial,
      notAfter: issued.notAfter,
    },
    renewAt: new Date(clock.now().getTime() + life / 2),
    authority: issuer.record.fingerprint,
    bundleVersion: issued.bundle.version,
  };
}
