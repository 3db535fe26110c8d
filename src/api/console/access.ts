import { accessGraph, calleeName, type PortAccess } from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import type { ConsoleAccess, ConsoleAccessRow } from '../../wire/console.ts';
import { worldWith } from './change.ts';
import { type ConsolePolicyServices, worldOf } from './policies.ts';

/** Every caller that may reach `to` under the text in the editor. @throws CitadelError as PolicyAnalysis does */
export async function whoMayCall(
  services: ConsolePolicyServices,
  analysis: PolicyAnalysis,
  { text, to }: { readonly text: string; readonly to: string },
  signal: AbortSignal,
): Promise<ConsoleAccess> {
  return accessToWire(await analysis.who(worldWith(worldOf(services), text), to, signal));
}

/** All that `from` may reach under the text in the editor. @throws CitadelError as PolicyAnalysis does */
export async function whatIsReached(
  services: ConsolePolicyServices,
  analysis: PolicyAnalysis,
  { text, from }: { readonly text: string; readonly from: string },
  signal: AbortSignal,
): Promise<ConsoleAccess> {
  const { caller, ports } = await analysis.what(worldWith(worldOf(services), text), from, signal);
  return accessToWire(ports, caller.identity ?? 'plaintext');
}

/** @param caller of all, where it is one */
function accessToWire(ports: readonly PortAccess[], caller?: string): ConsoleAccess {
  return {
    rows: ports.flatMap((port) => rowsOf(port, caller)),
    ...accessGraph(ports, caller),
    open: ports.filter(({ complete }) => !complete).map(openWords),
  };
}

function rowsOf(port: PortAccess, caller: string | undefined): readonly ConsoleAccessRow[] {
  const to = calleeName(port);
  if (!port.enforced) {
    const conditions = ['no proxy stands there: nothing is enforced'];
    return [{ to, callers: caller ?? 'anyone, plaintext included', methods: '', paths: '', conditions }];
  }
  return port.access.map(({ callers, methods, paths, conditions }) => ({
    to,
    callers,
    methods,
    paths,
    conditions,
  }));
}

function openWords(port: PortAccess): string {
  const { undecided, access } = port;
  if (!undecided)
    return `${calleeName(port)}: there are more ways in than the ${access.length} that are told`;
  return `${calleeName(port)}: ${undecided.reason}${undecided.policies.length > 0 ? `: ${undecided.policies.join(', ')}` : ''}`;
}
