import { formatInstant } from '../../kernel/index.ts';
import type { InboundPort, ProxyResourceState, ProxyState, ProxyView } from '../mesh/index.ts';
import { anyOtherPort } from '../mesh/index.ts';
import { mutualTlsModeOf } from '../policy/index.ts';
import { inboundListeners } from '../ports/index.ts';
import type { ProxyCounters } from './model.ts';

/**
 * How far a port is with what policies ask for. `away`: no stream. `refused`: a NACK. `pending`: not answered. `warming`:
 * accepted, not in use. `draining`: in use, for what is new. `unreported`: the agent has not told since. `settled`: so it is.
 */
export type PortModeState =
  | 'away'
  | 'refused'
  | 'pending'
  | 'warming'
  | 'draining'
  | 'unreported'
  | 'settled';

export interface PortMode {
  /** 0: every port that no registry declares. */
  readonly port: number;
  /** What policies and orders ask for. */
  readonly wanted: InboundPort['mode'];
  /** What policies alone ask for, without orders. */
  readonly policy: InboundPort['mode'];
  readonly state: PortModeState;
  /** What is so now; undefined where it cannot be said. */
  readonly effective: InboundPort['mode'] | undefined;
  /** Why it is not what is wanted, or cannot be said. */
  readonly detail: string | undefined;
}

/** Whether the proxy takes new connections as is wanted: what came before may drain still. */
export function isAccepted(state: PortModeState): boolean {
  return state === 'draining' || state === 'unreported' || state === 'settled';
}

/** Milliseconds; Envoy's own default. */
const defaultDrainTime = 600_000;

/** Whether a proxy has taken listeners from this server, all of which log. */
export function hasLoggingListeners({ resources }: ProxyState): boolean {
  const inbound = resources.filter(({ name }) => isInbound(name));
  return inbound.length > 0 && inbound.every(({ accepted }) => accepted !== undefined);
}

/**
 * Which mode each port of a workload is in. A mode is said only when the proxy has accepted the listener, and nothing of
 * an earlier one is left: an ACK says parsed, and connections of a chain that went are served until they have drained.
 */
export function portModes(
  view: ProxyView,
  states: readonly ProxyState[],
  counters: ProxyCounters | undefined,
  now: Date,
): PortMode[] {
  const behind = states.find(({ isBehind }) => isBehind);
  return view.inbound.map(({ port: { port }, mode: wanted }) => {
    const policy = mutualTlsModeOf(view.policies, port);
    const name = listenerOf(view, port);
    const listeners = states.flatMap(({ resources }) =>
      resources.filter((each) => each.name === name && isInbound(name)),
    );
    const [state, detail] = behind ? notMade(behind) : stateOf(listeners, counters, now);
    return { port, wanted, policy, state, effective: state === 'settled' ? wanted : undefined, detail };
  });
}

function notMade({ failure }: ProxyState): readonly [PortModeState, string] {
  return ['pending', failure ?? 'its configuration could not be made anew yet'];
}

function stateOf(
  listeners: readonly ProxyResourceState[],
  counters: ProxyCounters | undefined,
  now: Date,
): readonly [PortModeState, string | undefined] {
  if (listeners.length === 0) return ['away', 'its proxy is not connected'];
  for (const { accepted, wanted, error } of listeners) {
    if (error !== undefined) return ['refused', `its proxy refuses the listener: ${error}`];
    if (accepted !== wanted || accepted === undefined)
      return ['pending', 'its proxy has not accepted the listener yet'];
  }
  const acceptedAt = new Date(Math.max(...listeners.map((listener) => listener.acceptedAt?.getTime() ?? 0)));
  const drained = new Date(acceptedAt.getTime() + (counters?.drainTime ?? defaultDrainTime));
  const until = `draining until at most ${formatInstant(drained)}`;
  if (counters === undefined || counters.observedAt <= acceptedAt)
    return now < drained
      ? ['draining', `what came before is ${until}`]
      : ['unreported', 'its agent has not reported since the change'];
  if (counters.warming > 0) return ['warming', 'the listener is not in use yet'];
  return counters.draining > 0 ? ['draining', `what came before is ${until}`] : ['settled', undefined];
}

function listenerOf({ workload }: ProxyView, port: number): string {
  if (workload.proxy === 'capture') return inboundListeners.captured;
  return inboundListeners.ofPort(port === anyOtherPort ? 'other' : port);
}

function isInbound(name: string): boolean {
  return name === inboundListeners.captured || /^inbound\/[^/]+$/.test(name);
}
