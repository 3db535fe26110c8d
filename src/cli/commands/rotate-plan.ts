import { type Command, Option } from 'commander';
import {
  OperatorServiceService as api,
  type CanaryOrder,
  type PlannedPhase,
  type PlannedRoot,
  type PlanRotationResponse,
  type Unable,
} from '../../gen/citadel/v1/operator.ts';
import { seconds } from '../options.ts';
import { formatTime, printable, printRecord } from '../output.ts';
import { reading } from './reading.ts';
import { addCanaryOptions, canaryOptions, canaryOrder } from './rotate-canary.ts';

export interface CrossSignOption {
  readonly crossSign: boolean;
}

export interface WantedRootOptions extends CrossSignOption {
  readonly algorithm: string;
  /** Seconds. */
  readonly lifetime: number;
  readonly from: string;
}

export function withWantedRoot(command: Command): Command {
  return withFrom(
    withCrossSign(
      command
        .option('--algorithm <name>', 'of its key (default: as configured)', '')
        .option('--lifetime <duration>', 'of its certificate (default: as configured)', seconds, 0),
    ),
  );
}

export function withCrossSign(command: Command): Command {
  return command.option(
    '--cross-sign',
    'the old root certifies the new one, for who knows the old one alone',
    false,
  );
}

/** Whose root it is to be. */
export function withFrom(command: Command): Command {
  return command.addOption(
    new Option(
      '--from <which>',
      'take the root that authority.existing or authority.upstream names (default: make a new one)',
    )
      .choices(['existing', 'upstream'])
      .default('', 'made here'),
  );
}

/** As the operator API takes it. */
export function wantedRoot({ algorithm, lifetime, crossSign, from }: WantedRootOptions) {
  return { algorithm, from, lifetimeSeconds: BigInt(Math.ceil(lifetime)), crossSign };
}

export function addPlan(rotate: Command): void {
  const plan = withWantedRoot(
    rotate.command('plan').description('what a rotation would change and wait for, and when it could end'),
  );
  reading(addCanaryOptions(plan), async (connection, { output }) => {
    const options = plan.opts<WantedRootOptions>();
    const canary = canaryOrder(plan);
    const response = await connection.call(api.planRotation, { ...wantedRoot(options), canary });
    if (output !== 'table') return printRecord({ ...response }, output);
    process.stdout.write(`${planText(response)}\n\n${startCommand(response, options, canary)}\n`);
  });
}

/** What is shown before a start. Pure. */
export function planText({ oldRoot, newRoot, phases, warnings, unable }: PlanRotationResponse): string {
  const end = phases.at(-1)?.earliestEnd;
  return [
    `from        ${rootText(oldRoot)}`,
    `to          ${rootText(newRoot)}`,
    ...phases.map((phase) => phaseText(phase)),
    `ends        ${formatTime(end)} at the earliest`,
    ...warnings.map((warning) => `warning     ${printable(warning)}`),
    ...unableText(unable),
  ].join('\n');
}

function unableText(unable: readonly Unable[]): readonly string[] {
  if (unable.length === 0) return [];
  return [
    `${unable.length} cannot verify certificates under the new root, or cannot tell, and would be cut off when it signs; a start is refused without --force:`,
    ...unable.map(
      ({ name, proxyKey, why }) =>
        `  ${printable(name)}${proxyKey === '' ? '' : ` (${printable(proxyKey)})`}: ${printable(why)}`,
    ),
  ];
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

function startCommand(
  { token }: PlanRotationResponse,
  options: WantedRootOptions,
  canary: CanaryOrder | undefined,
): string {
  const { algorithm, lifetime, crossSign, from } = options;
  const wanted = [
    ...(from === '' ? [] : ['--from', from]),
    ...(algorithm === '' ? [] : ['--algorithm', algorithm]),
    ...(lifetime === 0 ? [] : ['--lifetime', `${Math.ceil(lifetime)}s`]),
    ...(crossSign ? ['--cross-sign'] : []),
    ...(canary ? canaryOptions(canary) : []),
  ];
  return `As long as this is so: ${['citadel rotate start', ...wanted, '--plan', token].join(' ')} --reason TEXT`;
}
