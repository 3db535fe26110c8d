import type { RotationPhase } from '../ports/index.ts';
import type { Gate } from './gate.ts';
import type { RotationStatus } from './service.ts';
import type { ProxyStanding } from './standing.ts';

/** What an operator can do for one proxy that a phase waits for. Pure. */
export function adviceFor({ proxy, standing }: ProxyStanding, phase: RotationPhase): string {
  const excuse = `citadel rotate excuse ${proxy.proxyKey} --reason TEXT`;
  const until = proxy.leaf.notAfter.toISOString();
  const reports = proxy.report !== undefined;
  if (phase === 'drain' || phase === 'undo')
    return standing === 'away'
      ? `find out why its agent is away; its certificate ends at ${until} at the latest`
      : `it renews by itself; restart it to have it done now. Its certificate ends at ${until} at the latest`;
  switch (standing) {
    case 'inUse':
      return '';
    case 'accepted':
      return `use is not seen: check one call through it, then ${excuse}`;
    case 'handedOut':
      return `it cannot report: if you know that it trusts what it was handed, ${excuse}`;
    case 'sent':
      return 'it has not answered yet; if it stays so, look at its Envoy, or restart it';
    case 'refused':
      if (phase === 'canary')
        return `find out why, and citadel rotate abort; if it has nothing to do with the new root, ${excuse}`;
      return 'its Envoy refused the bundle: mend what the error says, or restart it';
    case 'behind':
      return reports
        ? 'its agent is told by itself; if it stays so, look at the agent’s log, or restart it'
        : `it learns of the bundle when it renews, by ${until} at the latest; restart it to have it done now`;
    case 'away':
      return `bring its agent back; if it is gone for good, ${excuse}, or wait until ${until}`;
  }
}

/** What comes next, and by whom. Pure. */
export function nextStep({ rotation, gate, obstacle }: RotationStatus): string {
  if (!rotation) return 'citadel rotate plan shows what a rotation would wait for';
  const { phase } = rotation;
  switch (phase) {
    case 'prepare':
      return 'the new root is made, by itself';
    case 'retire':
      return 'the rotation ends, by itself: the key of the old root goes';
    case 'undo':
      return 'the new root leaves the bundle, by itself';
    case 'done':
    case 'aborted':
      return '';
    case 'canary': {
      if (rotation.canary?.auto)
        return 'the bundle with the new root goes to all, by itself at the end of the watch';
      const ready = gate?.open === true && obstacle === undefined;
      return `citadel rotate continue${ready ? '' : ', once nothing is missing'}: the bundle with the new root goes to all`;
    }
    case 'distribute':
    case 'drain': {
      const effect = phase === 'drain' ? 'the old root leaves the bundle' : 'the new root signs from then on';
      const ready = gate?.open === true && obstacle === undefined;
      return `citadel rotate continue${ready ? '' : ', once nothing is missing'}: ${effect}`;
    }
  }
}

/** Why the present phase cannot end yet, or was kept from it; empty: nothing is missing. Pure. */
export function reasonsToWait({ rotation, gate, obstacle }: RotationStatus): readonly string[] {
  if (!rotation) return [];
  return [...(obstacle === undefined ? [] : [obstacle]), ...(gate ? missing(gate, rotation.phase) : [])];
}

function missing(gate: Gate, phase: RotationPhase): string[] {
  const { stragglers, unproven, leaves, signing, blindUntil, canary, taintedRoot } = gate;
  const leaving = phase === 'drain' || phase === 'undo';
  const root = phase === 'undo' ? 'new' : 'old';
  const lacks = leaving
    ? `still use a certificate under the ${root} root`
    : phase === 'retire'
      ? 'are not seen to use the bundle without the old root'
      : 'are not seen to use the bundle with the new root';
  const halted = canary?.halted.length ?? 0;
  return [
    ...(taintedRoot === undefined ? [] : [taintedText(taintedRoot)]),
    ...(halted === 0 ? [] : [`the canary is HALTED by ${halted} of its proxies`]),
    ...(stragglers.length === 0 ? [] : [`${stragglers.length} proxies ${lacks}`]),
    ...(unproven.length === 0
      ? []
      : [`${unproven.length} can show no more than that they were given the bundle: each needs your word`]),
    ...leavesText(leaves, phase),
    ...signing.map((id) => `${id} still signs under the ${root} root: its successor does not sign yet`),
    ...(blindUntil ? [unrecordedText(blindUntil)] : []),
    ...(canary?.until ? [`the canary is watched until ${canary.until.toISOString()}`] : []),
  ];
}

/** Empty where no certificate is waited for. */
export function leavesText({ count, lastNotAfter }: Gate['leaves'], phase: RotationPhase): readonly string[] {
  if (lastNotAfter === undefined) return [];
  const root = phase === 'undo' ? 'new' : 'old';
  return [
    `${count} certificates under the ${root} root are valid, the last until ${lastNotAfter.toISOString()}`,
  ];
}

export function taintedText(root: string): string {
  return `the new root, ${root}, is tainted and is never to sign: citadel rotate abort`;
}

/** Of certificates that the store has lost. */
export function unrecordedText(until: Date): string {
  return `the store was set back: who has a certificate that it does not know is not seen, and the last of these ends at ${until.toISOString()}`;
}
