import type { GrpcHealth } from '../api/grpc/index.ts';
import type { Metrics } from '../domain/ports/index.ts';
import type { Clock, Log } from '../kernel/index.ts';
import { type Probe, type ProbeFinding, rootKeyProbe, runProbe } from './health.ts';
import { formerKeyProbe } from './rotation-health.ts';

export interface HealthWatchOptions {
  readonly probes: readonly Probe[];
  readonly health: readonly GrpcHealth[];
  readonly metrics: Pick<Metrics, 'keyHome'>;
  /** Where the root's key lives: `disk`, `memory`, `vault`, `vault-pki`. */
  readonly rootKeyHome: string;
  /** Where the key of the root is that is rotated away from; undefined: the configuration names no such home. */
  readonly formerKeyHome: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks; /readyz and `citadel check` look for themselves. */
const interval = 10_000;

/** Tells gRPC health, the metrics and the log what the probes find, from now until the signal. */
export async function watchHealth(options: HealthWatchOptions): Promise<void> {
  const { probes, health, metrics, rootKeyHome, formerKeyHome, clock, log, signal } = options;
  const known = new Map<string, ProbeFinding['severity']>();
  while (!signal.aborted) {
    const findings = await Promise.all(probes.map((probe) => runProbe(probe)));
    if (signal.aborted) return;
    for (const finding of findings) {
      if (finding.severity !== (known.get(finding.name) ?? 'ok')) tell(log, finding);
      known.set(finding.name, finding.severity);
      if (finding.name === rootKeyProbe) metrics.keyHome(rootKeyHome, finding.severity === 'ok');
      if (finding.name === formerKeyProbe && formerKeyHome !== undefined)
        metrics.keyHome(formerKeyHome, finding.severity === 'ok');
    }
    const serving = findings.every(({ severity }) => severity !== 'broken');
    for (const each of health) each.setServing(serving);
    await clock.sleep(interval, signal).catch(() => {});
  }
}

function tell(log: Log, { name, severity, what, why, mend }: ProbeFinding): void {
  if (severity === 'ok') log.info('well again', { probe: name });
  else if (severity === 'warning') log.warn('needs attention', { probe: name, what, why, mend });
  else log.error('broken', { probe: name, what, why, mend });
}
