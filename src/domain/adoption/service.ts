import type { Clock } from '../../kernel/index.ts';
import type { VerifiedSvid } from '../identity/index.ts';
import type { AdoptionStore, Consumer } from '../ports/index.ts';

/** What an agent says of itself. */
export interface AgentState {
  readonly agentVersion: string;
  readonly bundleVersion: string;
  readonly crlVersion?: string;
  readonly consumers: readonly Consumer[];
}

export interface AdoptionSession {
  report(state: AgentState): Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps what each proxy uses. A session speaks for the one proxy to which its SVID was issued: pods of one service
 * account share a SPIFFE ID, but not a proxy key.
 */
export interface AdoptionService {
  open(svid: VerifiedSvid): AdoptionSession;
}

export function createAdoptionService(store: AdoptionStore, clock: Clock): AdoptionService {
  /** The session that spoke last for a proxy: an older one's end must not mark a newer one disconnected. */
  const latest = new Map<string, AdoptionSession>();
  return {
    open({ issuance, spiffeId, serial }) {
      const { proxyKey, principal } = issuance;
      const session: AdoptionSession = {
        report: (state) =>
          store.record({
            proxyKey,
            spiffeId: spiffeId.toString(),
            svidSerial: serial,
            principal,
            agentVersion: state.agentVersion,
            agentBundleVersion: state.bundleVersion,
            ...(state.crlVersion === undefined ? {} : { crlVersion: state.crlVersion }),
            consumers: state.consumers,
            connected: true,
            lastSeenAt: clock.now(),
          }),
        async close() {
          if (latest.get(proxyKey) !== session) return;
          latest.delete(proxyKey);
          await store.markDisconnected(proxyKey, clock.now());
        },
      };
      latest.set(proxyKey, session);
      return session;
    },
  };
}
