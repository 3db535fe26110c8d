import type { Authority, ReKeying } from '../../gen/citadel/v1/operator.ts';
import { formatDuration } from '../../kernel/index.ts';
import { formatTime } from '../output.ts';

/** In a table's cell: how far the holders of a tainted authority's certificates are. Empty for one that is not tainted. */
export function reKeyingCell({ reKeying }: Authority, now: Date): string {
  if (reKeying === undefined) return '';
  if (!reKeying.superseded) return 'no other signs yet';
  const { waiting, ordered, followed, holders } = reKeying;
  if (waiting + ordered > 0)
    return `${followed} of ${followed + waiting + ordered}, ${timeLeft(reKeying, now)}`;
  return holders === 0 ? 'done' : `${holders} come by themselves`;
}

/** In sentences, each a line. */
export function describeReKeying(reKeying: ReKeying, now: Date): string[] {
  const { waiting, ordered, followed, holders, lastNotAfter, perSecond } = reKeying;
  const told = waiting + ordered;
  const others = Math.max(0, holders - told);
  return [
    ...(told > 0
      ? [
          `${followed} agents have made new keys; ${told} are to come, ${waiting} of them not told yet: ${perSecond.toFixed(0)} a second of late, ${timeLeft(reKeying, now)}.`,
        ]
      : []),
    ...(told === 0 && followed > 0
      ? [`${followed} agents have made new keys; none is left to be told.`]
      : []),
    ...(others > 0
      ? [
          `${others} workloads hold no stream to the server (pilot-agent, ztunnel, agents that are away): they come when they renew, by ${formatTime(lastNotAfter)} at the latest.`,
        ]
      : []),
    ...(holders === 0 ? ['No workload holds a certificate under it.'] : []),
  ];
}

function timeLeft({ expectedEnd }: ReKeying, now: Date): string {
  if (expectedEnd === undefined) return 'the time left is not known yet';
  const left = Math.max(0, expectedEnd.getTime() - now.getTime());
  return `about ${formatDuration(Math.ceil(left / 1000) * 1000)} left`;
}
