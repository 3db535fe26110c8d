import type { Command } from 'commander';
import {
  OperatorServiceService as api,
  type PlannedPhase,
  type PlannedRoot,
  type PlanRotationResponse,
} from '../../gen/citadel/v1/operator.ts';
import { seconds } from '../options.ts';
import { formatTime, printable, printRecord } from '../output.ts';
import { reading } from './read.ts';

export interface WantedRootOptions {
  readonly algorithm: string;
  /** Seconds. */
  readonly lifetime: number;
}

export function withWantedRoot(command: Command): Command {
  return command
    .option('--algorithm <name>', 'of its key (default: as configured)', '')
    .option('--lifetime <duration>', 'of its certificate (default: as configured)', seconds, 0);
}

/** As the operator API takes it. */
export function wantedRoot({ algorithm, lifetime }: WantedRootOptions) {
  return { algorithm, lifetimeSeconds: BigInt(Math.ceil(lifetime)) };
}

export function addPlan(rotate: Command): void {
  const plan = withWantedRoot(
    rotate.command('plan').description('what a rotation would change and wait for, and when it could end'),
  );
  reading(plan, async (connection, { output }) => {
    const options = plan.opts<WantedRootOptions>();
    const response = await connection.call(api.planRotation, wantedRoot(options));
    if (output !== 'table') return printRecord({ ...response }, output);
    process.stdout.write(`${planText(response)}\n\n${startCommand(response, options)}\n`);
  });
}

/** What is shown before a start. Pure. */
export function planText({ oldRoot, newRoot, phases, warnings }: PlanRotationResponse): string {
  const end = phases.at(-1)?.earliestEnd;
  return [
    `from        ${rootText(oldRoot)}`,
    `to          ${rootText(newRoot)}`,
    ...phases.map((phase) => phaseText(phase)),
    `ends        ${formatTime(end)} at the earliest`,
    ...warnings.map((warning) => `warning     ${printable(warning)}`),
  ].join('\n');
}

function rootText(root: PlannedRoot | undefined): string {
  if (!root) return '';
  const { fingerprint, algorithm, keyHome, notAfter } = root;
  const name = fingerprint === '' ? 'a new root' : fingerprint.slice(0, 16);
  return `${name}, ${algorithm}, its key in ${keyHome}, until ${formatTime(notAfter)}`;
}

function phaseText({ phase, waitsFor, earliestEnd }: PlannedPhase): string {
  return `${phase.padEnd(12)}until ${formatTime(earliestEnd)} at the earliest; waits for ${printable(waitsFor)}`;
}

function startCommand({ token }: PlanRotationResponse, { algorithm, lifetime }: WantedRootOptions): string {
  const wanted = [
    ...(algorithm === '' ? [] : ['--algorithm', algorithm]),
    ...(lifetime === 0 ? [] : ['--lifetime', `${Math.ceil(lifetime)}s`]),
  ];
  return `As long as this is so: ${['citadel rotate start', ...wanted, '--plan', token].join(' ')} --reason TEXT`;
}
