import type * as wire from '../../gen/citadel/v1/operator.ts';
import { formatDuration } from '../../kernel/index.ts';
import { formatTime } from '../output.ts';

const effects: Readonly<Record<string, string>> = {
  ready: 'becomes strict',
  unsafe: 'becomes strict',
  unknown: 'becomes strict',
  told: 'is strict',
  already: 'is strict',
  exempt: 'stays as it is',
};

const doubts: Readonly<Record<string, string>> = {
  unsafe: ', though that is unsafe',
  unknown: ', though nobody knows whether that is safe',
  told: ', and is watched anew',
};

/** One line a workload, and one for each that would be refused. */
export function planText({ workloads, withoutProxy }: wire.EnforceMutualTlsResponse): string {
  const lines = workloads.flatMap(({ workload, verdict, ports, disabledPorts, reasons, callers }) => {
    const names = ports.map((port) => (port === 0 ? 'all others' : String(port))).join(', ');
    const left =
      verdict !== 'exempt' && disabledPorts.length > 0
        ? `; stays in plaintext by its policies: ${disabledPorts.join(', ')}`
        : '';
    const at = names === '' ? '' : ` on ${names}`;
    return [
      `  ${workload} ${effects[verdict] ?? verdict}${at}${doubts[verdict] ?? ''}${left}`,
      ...reasons.map((reason) => `    ${reason}`),
      ...(callers.length > 0 ? [`    would be refused: ${callers.join(', ')}`] : []),
    ];
  });
  const without =
    withoutProxy.length > 0 ? [`  without a proxy, and so not strict: ${withoutProxy.join(', ')}`] : [];
  return [...lines, ...without].join('\n');
}

/** How it goes, for whoever agrees to it. @param how in seconds */
export function howText({
  observe,
  revertWithin,
}: {
  readonly observe: number;
  readonly revertWithin: number;
}): string {
  const back =
    revertWithin > 0
      ? `Within ${formatDuration(revertWithin * 1000)} from now one that refuses a caller which succeeded before is taken back.`
      : 'A refusal of a caller that succeeded before halts it; nothing is taken back without you.';
  return `One after the other, each watched for ${formatDuration(observe * 1000)}; then what was open drains, for as long as its Envoy lets it (--drain-time-s, 10 minutes by default).\n${back}`;
}

export function revertText({ workloads, orders }: wire.RevertMutualTlsResponse): string {
  return [
    ...workloads.map((workload) => `  ${workload} takes plaintext again, as its policies say`),
    ...orders.map(
      ({ id, scope, state, startedBy }) => `  of order ${id} (${scope}, ${state}, by ${startedBy})`,
    ),
  ].join('\n');
}

export const enforcementColumns = [
  { title: 'ORDER', value: ({ id }: wire.Enforcement) => id },
  { title: 'SCOPE', value: ({ scope }: wire.Enforcement) => scope },
  { title: 'STATE', value: ({ state }: wire.Enforcement) => state },
  { title: 'WORKLOADS', value: progressOf },
  { title: 'BY', value: ({ startedBy }: wire.Enforcement) => startedBy },
  { title: 'STARTED', value: ({ startedAt }: wire.Enforcement) => formatTime(startedAt) },
  { title: 'WHY', value: whyOf },
];

function progressOf({ workloads, done }: wire.Enforcement): string {
  return `${done} of ${workloads} done`;
}

function whyOf({ halt, steps }: wire.Enforcement): string {
  if (halt) return `${halt.workload}: ${halt.reason}${halt.reverted ? ' (taken back)' : ''}`;
  const waiting = steps.find(({ state, waitsFor }) => state !== 'waiting' && waitsFor !== '');
  return waiting ? `${waiting.workload}: ${waiting.waitsFor}` : '';
}
