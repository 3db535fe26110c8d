import type { Clock } from '../../kernel/index.ts';
import type { AuthoritiesBelow } from '../../pki/index.ts';
import type { AuthorityRecord, KeyManager, SigningKey, UpstreamAuthority } from '../ports/index.ts';
import { authorityRecord } from './record.ts';

/** What signs under a root that others have made: an authority whose key comes here, or their PKI. */
export type GivenSigner =
  | {
      readonly kind: 'key';
      /** Of the authority, DER, and those between it and the root, nearest first. */
      readonly certificate: Uint8Array;
      readonly intermediates: readonly Uint8Array[];
      /** Rather than issuing authorities of ours. */
      readonly signsLeaves: boolean;
      /** Where its key is put. */
      readonly home: () => Promise<KeyManager>;
      /**
       * Its key, where it is in its home already; otherwise put there under another id, to be destroyed again.
       * @throws CitadelError FailedPrecondition where it does not belong to the certificate
       */
      readonly borrowKey: (id: string) => Promise<SigningKey>;
    }
  | { readonly kind: 'upstream'; readonly upstream: UpstreamAuthority };

/** A root that others have made, about to be the next one here. */
export interface GivenRoot {
  /** DER. */
  readonly root: Uint8Array;
  /** Why the authority that signs leaves under it signs no CRL, a sentence; absent: it does, or is made when it is needed. */
  readonly noCrls?: string;
  readonly signer: GivenSigner;
  /** What will stand between it and leaves. */
  readonly below: AuthoritiesBelow;
  /** Puts keys that come with it into their homes. Safe to repeat. @returns what is to be stored, prepared */
  place(): Promise<readonly AuthorityRecord[]>;
}

/** The root of another PKI, which signs our issuing authorities: its key is not here. */
export async function givenByUpstream(
  upstream: UpstreamAuthority,
  clock: Pick<Clock, 'now'>,
): Promise<GivenRoot> {
  const root = await upstream.root();
  return {
    root,
    signer: { kind: 'upstream', upstream },
    below: 'unknown',
    async place() {
      // Nothing is handed out of which we could not make use.
      await upstream.check();
      const { kind: keyId } = upstream;
      const createdAt = clock.now();
      return [
        authorityRecord({
          kind: 'root',
          state: 'prepared',
          keyBackend: 'upstream',
          keyId,
          certificate: root,
          createdAt,
        }),
      ];
    },
  };
}
