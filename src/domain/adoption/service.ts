import { type Clock, inTurn } from '../../kernel/index.ts';
import type { VerifiedSvid } from '../identity/index.ts';
import type { AdoptionStore, Consumer, HandshakeReport, HandshakeTally, TlsProgram } from '../ports/index.ts';
import { addHandshakes, sameFailures } from './handshakes.ts';

/** What an agent says of itself. */
export interface AgentState {
  readonly agentVersion: string;
  readonly bundleVersion: string;
  readonly crlVersion?: string;
  readonly program: TlsProgram | undefined;
  readonly consumers: readonly Consumer[];
}

export interface AdoptionSession {
  report(state: AgentState): Promise<void>;
  handshakes(report: HandshakeReport): Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps what each proxy uses. A session speaks for the one proxy to which its SVID was issued: pods of one service
 * account share a SPIFFE ID, but not a proxy key.
 */
export interface AdoptionService {
  open(svid: VerifiedSvid): AdoptionSession;
  /** Whether an agent of this proxy is there, so that it can be told something else, and tells what comes of it. */
  isConnected(proxyKey: string): boolean;
}

/** Milliseconds after which the same handshakes are written down anew, so that they are known to be of now. */
const quietFor = 30_000;

export function createAdoptionService(store: AdoptionStore, clock: Clock): AdoptionService {
  /** The session that spoke last for a proxy: an older one's end must not mark a newer one disconnected. */
  const latest = new Map<string, AdoptionSession>();
  return {
    isConnected: (proxyKey) => latest.has(proxyKey),
    open({ issuance, spiffeId, serial }) {
      const { proxyKey, principal } = issuance;
      const oneAtATime = inTurn();
      let known: HandshakeTally | undefined;
      let writtenAt = 0;
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
            ...(state.program ? { agentProgram: state.program } : {}),
            consumers: state.consumers,
            connected: true,
            lastSeenAt: clock.now(),
          }),
        handshakes: (report) =>
          oneAtATime(async () => {
            const before = known ?? (await store.handshakes(proxyKey));
            known = addHandshakes(before, report);
            const now = clock.now().getTime();
            if (before && sameFailures(before, known) && now - writtenAt < quietFor) return;
            await store.recordHandshakes(proxyKey, known);
            writtenAt = now;
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
