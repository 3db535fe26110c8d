import {
  BundleSet,
  SpiffeError,
  type SpiffeId,
  TrustBundle,
  TrustDomain,
  verifyX509Svid,
} from '@citadel/spiffe';
import { CitadelError, type Clock } from '../../kernel/index.ts';
import type { AuthorityRecord, IssuanceRecord, IssuanceStore } from '../ports/index.ts';

export interface SvidVerifierOptions {
  readonly trustDomain: string;
  /** All authorities; a TLS peer's leaf alone is at hand, so the chain is completed from here. */
  readonly authorities: () => readonly AuthorityRecord[];
  readonly inventory: Pick<IssuanceStore, 'get'>;
  readonly isRevoked: (leaf: { readonly serial: string; readonly issuer: string }) => boolean;
  readonly clock: Clock;
}

/** One of our own SVIDs, valid now. */
export interface VerifiedSvid {
  readonly spiffeId: SpiffeId;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly notAfter: Date;
  readonly issuance: IssuanceRecord;
}

export interface SvidVerifier {
  /**
   * @param leaf DER, whose private key the TLS handshake proved
   * @throws CitadelError Unauthenticated when it is not a valid SVID of this trust domain that this inventory issued, or is revoked
   */
  verify(leaf: Uint8Array): Promise<VerifiedSvid>;
}

export function createSvidVerifier(options: SvidVerifierOptions): SvidVerifier {
  const trustDomain = TrustDomain.parse(options.trustDomain);
  return {
    async verify(leaf) {
      const { id, serial, notAfter } = verifyChain(leaf);
      const issuance = await options.inventory.get(serial);
      if (
        !issuance ||
        issuance.state !== 'issued' ||
        !issuance.certificate ||
        !Buffer.from(issuance.certificate).equals(leaf)
      ) {
        throw refused('the certificate is not in the inventory');
      }
      if (options.isRevoked(issuance)) throw refused('the certificate, or its issuing authority, is revoked');
      return { spiffeId: id, serial, notAfter, issuance };
    },
  };

  function verifyChain(leaf: Uint8Array): { id: SpiffeId; serial: string; notAfter: Date } {
    // Tainted ones too: a certificate is looked up in the inventory, so that a stolen issuing key makes none that passes,
    // and who holds one from before has to be told to make a new key.
    const usable = options.authorities().filter(({ state }) => state !== 'retired');
    const intermediates = new Map<string, Uint8Array>();
    for (const record of usable) {
      if (record.kind !== 'root') intermediates.set(record.fingerprint, record.certificate);
      for (const der of record.intermediates) intermediates.set(Buffer.from(der).toString('base64'), der);
    }
    const roots = usable.filter(({ kind }) => kind === 'root').map(({ certificate }) => certificate);
    // One chain at a time, for a path is searched among few: the leaf's own issuer is found by trying each.
    let last: unknown;
    for (const issuer of [undefined, ...intermediates.values()]) {
      try {
        const others = [...intermediates.values()].filter((der) => der !== issuer).slice(0, 4);
        const chain = issuer ? [leaf, issuer, ...others] : [leaf];
        const bundles = BundleSet.of(TrustBundle.of(trustDomain, roots));
        const verified = verifyX509Svid(chain, bundles, { now: options.clock.now() });
        return { id: verified.id, serial: verified.svid.serialNumber, notAfter: verified.validUntil };
      } catch (error) {
        if (!(error instanceof SpiffeError)) throw error;
        last = error;
      }
    }
    throw refused('no valid chain to an authority of this trust domain', last);
  }
}

function refused(details: string, cause?: unknown): CitadelError {
  return new CitadelError(
    'Unauthenticated',
    'the client certificate is not a valid SVID of this trust domain',
    {
      details,
      cause,
    },
  );
}
