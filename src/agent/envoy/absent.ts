import type { Consumer } from '../../domain/ports/index.ts';

/**
 * What is told of an Envoy that stands beside us and has not asked for anything: it was there before us, or it will come.
 * It may run on what it was given long ago, so nobody may take it for one that uses what we hold.
 * @param since when we began
 */
export function withAbsentEnvoy(consumers: readonly Consumer[], since: Date): readonly Consumer[] {
  if (consumers.some(({ kind }) => kind === 'envoy-sds')) return consumers;
  const absent: Consumer = {
    id: 'envoy',
    kind: 'envoy-sds',
    resources: [{ name: 'default', kind: 'svid', observedAt: since }],
    lastSeenAt: since,
  };
  return [...consumers, absent];
}
