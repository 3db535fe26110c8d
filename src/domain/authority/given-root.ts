import type { Clock } from '../../kernel/index.ts';
import type { AuthorityRecord, UpstreamAuthority } from '../ports/index.ts';
import { authorityRecord } from './record.ts';

/** A root that others have made, about to be the next one here. */
export interface GivenRoot {
  /** DER. */
  readonly root: Uint8Array;
  /** Why the authority that signs leaves under it signs no CRL, a sentence; absent: it does, or is made when it is needed. */
  readonly noCrls?: string;
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
