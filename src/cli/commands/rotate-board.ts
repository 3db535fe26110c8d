import type { ProxyStanding, RotationStatus, RotationWord } from '../../gen/citadel/v1/operator.ts';
import { formatTime, recordText, tableText } from '../output.ts';
import { canaryText } from './rotate-canary.ts';

const barLength = 20;

/** What an operator sees of a rotation: lines for a terminal or a file. Pure. */
export function boardText(status: RotationStatus): string {
  if (status.id === '')
    return `no rotation yet; the active root is ${status.activeRoot.slice(0, 16)}\n${status.next}\n`;
  const { gate } = status;
  const waited = gate?.proxies.filter((proxy) => proxy.waited) ?? [];
  const all = (gate?.stragglers ?? 0) + (gate?.unproven ?? 0);
  const more =
    waited.length > 0 && all > waited.length
      ? `${all - waited.length} more are waited for: --filter TEXT, --standing NAME or --limit COUNT shows others\n`
      : '';
  const table = waited.length === 0 ? '' : `\n${tableText(waited, stragglerColumns)}${more}`;
  return recordText(withoutEmpty(headOf(status))) + table;
}

function headOf(status: RotationStatus): Record<string, string> {
  const { gate } = status;
  return {
    phase: `${status.phase} since ${formatTime(status.phaseSince)}`,
    next: status.next,
    'why not yet': status.whyNot.join('\n'),
    'old root': status.oldRoot.slice(0, 16),
    'new root':
      status.newRoot === ''
        ? ''
        : `${status.newRoot.slice(0, 16)} (${status.algorithm}${status.crossSigned ? ', cross-signed' : ''})`,
    started: `${formatTime(status.startedAt)} by ${status.startedBy}${status.reason === '' ? '' : `: ${status.reason}`}`,
    canary: canaryText(status),
    adoption: gate && gate.live > 0 ? adoptionText(status) : '',
    'all renewed by': formatTime(gate?.lastRenewal),
    'certificates to end':
      gate && gate.leaves > 0 ? `${gate.leaves}, until ${formatTime(gate.leavesUntil)}` : '',
    'still sign': gate?.signing.join('\n') ?? '',
    'keys left': status.keysLeft
      .map(({ keyHome, keyId, why }) => `${keyId} in ${keyHome}: ${why}`)
      .join('\n'),
    words: status.words.map(wordText).join('\n'),
  };
}

function withoutEmpty(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== ''));
}

function wordText({ kind, target, by, reason, at }: RotationWord): string {
  return `${kind} ${target}, by ${by} at ${formatTime(at)}: ${reason}`;
}

function adoptionText({ gate }: RotationStatus): string {
  const counts = (gate?.counts ?? []).filter(({ count }) => count > 0);
  const live = gate?.live ?? 0;
  const share = (counts.find(({ standing }) => standing === 'inUse')?.count ?? 0) / live;
  const filled = Math.floor(share * barLength);
  // Never 100 % while one is missing.
  const percent = Math.floor(share * 100);
  const bar = `${'#'.repeat(filled)}${'-'.repeat(barLength - filled)}`;
  const parts = counts.map(({ standing, count }) => `${standing} ${count}`).join(', ');
  return `[${bar}] ${percent} % of ${live} live proxies: ${parts}`;
}

/** One line that says where it is, for a log. Pure. */
export function progressLine(status: RotationStatus): string {
  const { gate, phase, whyNot, next } = status;
  const adoption = gate && gate.live > 0 ? `: ${adoptionText(status)}` : '';
  const reasons = whyNot.length === 0 ? next : `waits: ${whyNot.join('; ')}`;
  return `${phase}${adoption}${reasons === '' ? '' : `; ${reasons}`}`;
}

/** For a question before an order. Pure. */
export function describeProxy({ spiffeId, proxyKey, standing, detail }: ProxyStanding): string {
  return `${spiffeId} (${proxyKey}): ${standing}, ${detail}`;
}

const stragglerColumns = [
  { title: 'WAITS FOR', value: (row: ProxyStanding) => row.spiffeId },
  { title: 'KEY', value: (row: ProxyStanding) => row.proxyKey },
  { title: 'IS', value: (row: ProxyStanding) => row.standing },
  { title: 'LAST SEEN', value: (row: ProxyStanding) => formatTime(row.lastSeenAt) },
  { title: 'RENEWS BY', value: (row: ProxyStanding) => formatTime(row.renewsBy) },
  { title: 'NODE', value: (row: ProxyStanding) => row.nodeId },
  { title: 'WHY', value: (row: ProxyStanding) => row.detail },
  { title: 'WHAT TO DO', value: (row: ProxyStanding) => row.whatToDo },
];
