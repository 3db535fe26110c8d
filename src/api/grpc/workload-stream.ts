import type { EventEmitter } from 'node:events';
import { isWorkloadPrincipal, type SvidVerifier, type VerifiedSvid } from '../../domain/identity/index.ts';
import type { RevocationService } from '../../domain/revocation/index.ts';
import { CitadelError, type Clock } from '../../kernel/index.ts';
import { readCredentials } from './credentials.ts';

/** setTimeout's limit; an SVID lives far shorter, and a longer one is closed early and comes back. */
const longestTimer = 2 ** 31 - 1;

/**
 * The workload at the other end of a stream, by its client certificate.
 * @throws CitadelError Unauthenticated, PermissionDenied
 */
export async function verifyWorkload(
  call: Parameters<typeof readCredentials>[0],
  verifier: SvidVerifier,
  service: string,
): Promise<VerifiedSvid> {
  const [leaf] = readCredentials(call).clientCertificates ?? [];
  if (!leaf) {
    throw new CitadelError(
      'Unauthenticated',
      `${service} needs a client certificate: the workload’s own SVID`,
    );
  }
  const svid = await verifier.verify(leaf);
  // An operator's or a server's own certificate speaks for no proxy.
  if (!isWorkloadPrincipal(svid.issuance.principal)) {
    throw new CitadelError('PermissionDenied', `${service} is for the agents and proxies of workloads`);
  }
  return svid;
}

/** Resolves when the stream has ended, in whichever way. */
export function streamEnd(stream: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['cancelled', 'close', 'end', 'error']) stream.once(event, () => resolve());
  });
}

export type RevocationWatch = Pick<RevocationService, 'isRevoked' | 'onRevoked'>;

export interface Endings {
  /** Aborted at shutdown: clients are told to come back, elsewhere perhaps. */
  readonly stopping: AbortSignal;
  readonly revocations: RevocationWatch;
  readonly clock: Clock;
}

/** Ends a stream with the SVID that opened it, when that is revoked, and at shutdown. @returns stops watching */
export function endWithSvid(
  { notAfter, issuance }: VerifiedSvid,
  { stopping, revocations, clock }: Endings,
  end: (error: CitadelError, why: 'stopping' | 'expired' | 'revoked') => void,
): () => void {
  const onStopping = () =>
    end(new CitadelError('Unavailable', 'the server is shutting down; connect again'), 'stopping');
  const onRevoked = () => {
    if (!revocations.isRevoked(issuance)) return;
    unwatch();
    const message = 'the SVID of this stream is revoked; come back with a new one';
    end(new CitadelError('Unauthenticated', message), 'revoked');
  };
  const unwatch = revocations.onRevoked(onRevoked);
  stopping.addEventListener('abort', onStopping, { once: true });
  const expiry = setTimeout(
    () =>
      end(
        new CitadelError(
          'Unauthenticated',
          'the SVID of this stream has ended; come back with its successor',
        ),
        'expired',
      ),
    Math.min(longestTimer, Math.max(0, notAfter.getTime() - clock.now().getTime())),
  );
  if (stopping.aborted) onStopping();
  // It may have been revoked while it was verified.
  onRevoked();
  return () => {
    clearTimeout(expiry);
    unwatch();
    stopping.removeEventListener('abort', onStopping);
  };
}
