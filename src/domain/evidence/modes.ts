import type { InboundPort, ProxyResourceState, ProxyState, ProxyView } from '../mesh/index.ts';
import { anyOtherPort } from '../mesh/index.ts';
import { inboundListeners } from '../ports/index.ts';
import type { ProxyCounters } from './model.ts';

export interface PortMode {
  /** 0: every port that no registry declares. */
  readonly port: number;
  /** What policies ask for. */
  readonly wanted: InboundPort['mode'];
  /** What is so now; undefined where it cannot be said. */
  readonly effective: InboundPort['mode'] | undefined;
  /** Why it is not what is wanted, or cannot be said. */
  readonly detail: string | undefined;
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
  return view.inbound.map(({ port: { port }, mode: wanted }) => {
    const name = listenerOf(view, port);
    const listeners = states.flatMap(({ resources }) =>
      resources.filter((each) => each.name === name && isInbound(name)),
    );
    const detail = states.some(({ failure }) => failure !== undefined)
      ? 'its configuration could not be made anew'
      : whyNot(listeners, counters, now);
    return { port, wanted, effective: detail === undefined ? wanted : undefined, detail };
  });
}

function whyNot(
  listeners: readonly ProxyResourceState[],
  counters: ProxyCounters | undefined,
  now: Date,
): string | undefined {
  if (listeners.length === 0) return 'its proxy is not connected';
  for (const { accepted, wanted, error } of listeners) {
    if (error !== undefined) return `its proxy refuses the listener: ${error}`;
    if (accepted !== wanted || accepted === undefined) return 'its proxy has not accepted the listener yet';
  }
  const acceptedAt = new Date(Math.max(...listeners.map((listener) => listener.acceptedAt?.getTime() ?? 0)));
  const drained = new Date(acceptedAt.getTime() + (counters?.drainTime ?? defaultDrainTime));
  const until = `draining until at most ${drained.toISOString().replace(/\.\d{3}Z$/, 'Z')}`;
  if (counters === undefined || counters.observedAt <= acceptedAt)
    return now < drained ? `what came before is ${until}` : 'its agent has not reported since the change';
  if (counters.warming > 0) return 'the listener is not in use yet';
  return counters.draining > 0 ? `what came before is ${until}` : undefined;
}

function listenerOf({ workload }: ProxyView, port: number): string {
  if (workload.proxy === 'capture') return inboundListeners.captured;
  return inboundListeners.ofPort(port === anyOtherPort ? 'other' : port);
}

function isInbound(name: string): boolean {
  return name === inboundListeners.captured || /^inbound\/[^/]+$/.test(name);
}
