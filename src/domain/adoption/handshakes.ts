import type { HandshakeFailures, HandshakeReport, HandshakeTally } from '../ports/index.ts';

/** An agent works out when its Envoy began from seconds of uptime. */
const tolerance = 3_000;

/**
 * Adds what an agent says to what is known of its proxy. Pure. Another Envoy counts from zero, so that all of its failures
 * are new; of the same one only what is more than before is: an agent that began anew may have missed some, and does not
 * make any twice.
 */
export function addHandshakes(known: HandshakeTally | undefined, report: HandshakeReport): HandshakeTally {
  const apart = known && Math.abs(known.last.startedAt.getTime() - report.startedAt.getTime());
  const before = apart !== undefined && apart <= tolerance ? known?.last : undefined;
  const add = (of: 'downstream' | 'upstream') =>
    combine(known?.[of] ?? noFailures, combine(report[of], before?.[of] ?? noFailures, increase), plus);
  return { last: report, downstream: add('downstream'), upstream: add('upstream') };
}

export function sameFailures(a: HandshakeTally, b: HandshakeTally): boolean {
  const differ = (of: 'downstream' | 'upstream') => names.some((name) => a[of][name] !== b[of][name]);
  return !differ('downstream') && !differ('upstream');
}

export const noFailures: HandshakeFailures = {
  untrusted: 0,
  otherIdentity: 0,
  noCertificate: 0,
  connection: 0,
};
const names = ['untrusted', 'otherIdentity', 'noCertificate', 'connection'] as const;
const plus = (a: number, b: number) => a + b;
const increase = (now: number, before: number) => Math.max(0, now - before);

function combine(
  a: HandshakeFailures,
  b: HandshakeFailures,
  by: (a: number, b: number) => number,
): HandshakeFailures {
  return {
    untrusted: by(a.untrusted, b.untrusted),
    otherIdentity: by(a.otherIdentity, b.otherIdentity),
    noCertificate: by(a.noCertificate, b.noCertificate),
    connection: by(a.connection, b.connection),
  };
}
