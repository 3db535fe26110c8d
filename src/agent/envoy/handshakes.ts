import type { HandshakeFailures, HandshakeReport } from '../../domain/ports/index.ts';

/** How Envoy calls the reasons (envoy: ssl_socket stats of a listener and of a cluster). */
const reasons: Readonly<Record<string, keyof HandshakeFailures>> = {
  fail_verify_error: 'untrusted',
  fail_verify_san: 'otherIdentity',
  fail_verify_cert_hash: 'otherIdentity',
  fail_verify_no_cert: 'noCertificate',
  connection_error: 'connection',
};
const statistic = new RegExp(`^(listener|cluster)\\..*\\.ssl\\.(${Object.keys(reasons).join('|')})$`);

/** Of Envoy's statistics, those of handshakes that failed. */
export const handshakeFilter = statistic.source;

type Counts = Pick<HandshakeReport, 'downstream' | 'upstream'>;

/**
 * Adds up the failed handshakes of one Envoy process over all its listeners and clusters. A listener that goes takes its
 * counters with it, and the one that comes in its place begins at zero: what was counted stays counted here.
 */
export class HandshakeCounter {
  readonly #before = new Map<string, number>();
  readonly #counts = { downstream: none(), upstream: none() };

  /** @param values of all statistics, by name */
  count(values: ReadonlyMap<string, number>): Counts {
    for (const [name, value] of values) {
      const [, owner, suffix = ''] = statistic.exec(name) ?? [];
      const reason = reasons[suffix];
      if (owner === undefined || reason === undefined) continue;
      const before = this.#before.get(name) ?? 0;
      this.#counts[owner === 'listener' ? 'downstream' : 'upstream'][reason] +=
        value >= before ? value - before : value;
      this.#before.set(name, value);
    }
    for (const name of this.#before.keys()) if (!values.has(name)) this.#before.delete(name);
    return { downstream: { ...this.#counts.downstream }, upstream: { ...this.#counts.upstream } };
  }
}

function none(): Record<keyof HandshakeFailures, number> {
  return { untrusted: 0, otherIdentity: 0, noCertificate: 0, connection: 0 };
}
