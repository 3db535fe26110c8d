import { accessGraph, calleeName, type PortAccess } from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import type {
  ConsoleAccess,
  ConsoleAccessRow,
  ConsoleWhatQuestion,
  ConsoleWhoQuestion,
} from '../../wire/console.ts';
import { type ChangedWorldServices, changedWorld } from './changed-world.ts';

/** Every caller that could reach `to` under a change. @throws CitadelError as PolicyAnalysis does */
export async function whoMayCall(
  services: ChangedWorldServices,
  analysis: PolicyAnalysis,
  { to, ...change }: ConsoleWhoQuestion,
  signal: AbortSignal,
): Promise<ConsoleAccess> {
  const { after } = await changedWorld(services, change);
  return accessToWire(await analysis.who(after, to, signal));
}

/** All that `from` could reach under a change. @throws CitadelError as PolicyAnalysis does */
export async function whatIsReached(
  services: ChangedWorldServices,
  analysis: PolicyAnalysis,
  { from, ...change }: ConsoleWhatQuestion,
  signal: AbortSignal,
): Promise<ConsoleAccess> {
  const { after } = await changedWorld(services, change);
  const { caller, ports } = await analysis.what(after, from, signal);
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
