import { setTimeout as delay } from 'node:timers/promises';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { OperatorConnection } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { patiently } from '../patiently.ts';

const api = wire.OperatorServiceService;
/** Milliseconds. */
const interval = 500;
/** What a step waits for changes its words with the time. */
const newsInterval = 10_000;
const acceptWithin = 60_000;

/** Tells what happens until the order is done or has halted. @throws ExitRequest where it is not done */
export async function followEnforcement(connection: OperatorConnection, id: string): Promise<void> {
  process.stdout.write(
    `Order ${id}. It goes on without this command: citadel mtls status shows it, citadel mtls revert takes it back.\n`,
  );
  const told = new Map<string, { readonly state: string; readonly waitsFor: string; readonly at: number }>();
  const left = () => {
    process.stderr.write(`\nOrder ${id} goes on: citadel mtls status shows it.\n`);
    process.exit(exitCodes.warning);
  };
  process.once('SIGINT', left);
  for (;;) {
    const enforcement = await patiently(async () => {
      const { enforcements } = await connection.call(api.listEnforcements, { id });
      return enforcements[0];
    });
    if (!enforcement) throw new CitadelError('Internal', 'the server tells of no such order');
    for (const { workload, state, waitsFor } of enforcement.steps) {
      const before = told.get(workload);
      const isNews =
        before?.state !== state ||
        (waitsFor !== '' && before.waitsFor !== waitsFor && Date.now() > before.at + newsInterval);
      if (state === 'waiting' || !isNews) continue;
      told.set(workload, { state, waitsFor, at: Date.now() });
      process.stdout.write(`${workload} ${state}${waitsFor === '' ? '' : `: ${waitsFor}`}\n`);
    }
    if (enforcement.state !== 'running') {
      process.off('SIGINT', left);
      return end(enforcement);
    }
    await delay(interval);
  }
}

function end({ id, state, scope, halt }: wire.Enforcement): void {
  if (state === 'done') {
    process.stdout.write(
      `Done: ${scope} takes mutual TLS alone. To make it permanent, write a PeerAuthentication with mode STRICT; the order can then be taken back.\n`,
    );
    return;
  }
  if (halt) {
    const back = halt.reverted
      ? `${halt.workload} was taken back.`
      : 'What is strict stays so: go on with citadel mtls enforce, or take it back with citadel mtls revert.';
    process.stderr.write(`Halted (${halt.kind}): ${halt.workload}: ${halt.reason}\n${back}\n`);
  } else process.stderr.write(`Order ${id} is ${state}.\n`);
  throw new ExitRequest(exitCodes.broken);
}

/** Waits until the proxies have accepted that they take plaintext again. @throws ExitRequest where some have not */
export async function followRevert(
  connection: OperatorConnection,
  workloads: readonly string[],
): Promise<void> {
  const waiting = new Set(workloads);
  const until = Date.now() + acceptWithin;
  while (waiting.size > 0) {
    const { workloads: all } = await patiently(() =>
      connection.call(api.getMutualTlsStatus, { namespace: '', workload: '', windowSeconds: 0n }),
    );
    const statuses = new Map(all.map((status) => [status.workload, status]));
    for (const workload of waiting) {
      const status = statuses.get(workload);
      // One that is gone has nothing to accept.
      if (status && (status.enforcedBy !== '' || !status.ports.every(isAccepted))) continue;
      waiting.delete(workload);
      process.stdout.write(`${workload} reverted\n`);
    }
    if (waiting.size === 0) return;
    if (Date.now() > until) {
      process.stderr.write(`Not accepted yet by the proxies of: ${[...waiting].join(', ')}\n`);
      throw new ExitRequest(exitCodes.warning);
    }
    await delay(interval);
  }
}

/** What came before may drain still: what is wanted is taken from the moment that it is accepted. */
function isAccepted({ accepted, wantedMode, policyMode }: wire.MutualTlsPort): boolean {
  return accepted && wantedMode === policyMode;
}
