import type { RootRotation } from '../ports/index.ts';
import { leavesText, taintedText, unrecordedText } from './advice.ts';
import type { Gate } from './gate.ts';

const mostNamed = 5;

/** What a phase still waits for, in words for an operator. */
export function whyWaiting({ phase }: RootRotation, gate: Gate): string {
  const { stragglers, unproven, signing, leaves, blindUntil, canary, taintedRoot } = gate;
  const named = [...stragglers, ...unproven]
    .slice(0, mostNamed)
    .map(({ proxy, standing, detail }) => `${proxy.spiffeId} (${proxy.proxyKey}) is ${standing}: ${detail}`);
  const more = stragglers.length + unproven.length - named.length;
  const signs = signing.map((id) => `${id} still signs under it, for its successor does not sign yet`);
  const blind = blindUntil ? [unrecordedText(blindUntil)] : [];
  const watched = canary?.until ? [`it is watched until ${canary.until.toISOString()}`] : [];
  const tainted = taintedRoot === undefined ? [] : [taintedText(taintedRoot)];
  const reasons = [
    ...tainted,
    ...named,
    ...(more > 0 ? [`${more} more`] : []),
    ...leavesText(leaves, phase),
    ...signs,
    ...blind,
    ...watched,
  ];
  if (reasons.length === 0 && canary) reasons.push('no chosen proxy is left that has been watched');
  return `phase ${phase} cannot end yet: ${reasons.join('; ')}`;
}
