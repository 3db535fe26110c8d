import type { Clock } from '../../kernel/index.ts';
import { interposed } from '../evidence/index.ts';
import type { ControlPlane } from '../mesh/index.ts';
import type { AccessLogSink } from '../ports/index.ts';
import type { ShadowObservation } from './model.ts';
import { Observations } from './observations.ts';

export interface ShadowObserver extends AccessLogSink {
  /** Of the candidate that is tried now; undefined: none is. */
  observed(): ShadowObservation | undefined;
}

export interface ShadowObserverOptions {
  readonly mesh: Pick<ControlPlane, 'snapshot' | 'onProgress'>;
  /** Who else is told of the same entries. */
  readonly sink: AccessLogSink;
  readonly clock: Clock;
}

/** Reads from access logs on which calls the policies that hold and those that are tried disagree. */
export function createShadowObserver({ mesh, sink, clock }: ShadowObserverOptions): ShadowObserver {
  let observations: Observations | undefined;
  const follow = () => {
    const id = mesh.snapshot()?.candidate?.id;
    if (observations?.candidate !== id)
      observations = id === undefined ? undefined : new Observations(id, clock.now());
    return observations;
  };
  mesh.onProgress(follow);
  return {
    ...interposed(sink, (session, entries) => {
      const now = clock.now();
      if (entries.some(({ shadow }) => shadow !== undefined)) {
        const current = follow();
        for (const entry of entries) current?.add(session.workload, entry, now);
      }
      session.record(entries);
    }),
    observed: () => follow()?.observed(),
  };
}
