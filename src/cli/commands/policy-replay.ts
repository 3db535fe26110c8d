import type { Command } from 'commander';
import {
  formatPolicyProblem,
  type PolicyWorld,
  type ReplayGroup,
  type ReplayReport,
  readPolicies,
  replay,
  requestWords,
  sampleWords,
  type Tally,
  withPolicies,
} from '../../domain/policy/index.ts';
import type { ReadRecords } from '../../domain/records/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { withOutput } from '../options.ts';
import { formatTime, type OutputFormat, printable, printValue, tableText } from '../output.ts';
import { type RemovalOptions, withoutNamed, withRemoval } from '../policy-candidates.ts';
import { readPolicyFiles } from '../policy-files.ts';
import { loadRecords, type RecordsOptions, recordsCaveats, withRecords } from '../policy-records.ts';
import { loadWorld, type WorldOptions, withWorld } from '../policy-world.ts';
import { callsText } from './policy-records.ts';
import { policyFilesHelp } from './policy-text.ts';

interface Options extends WorldOptions, RecordsOptions, RemovalOptions {
  readonly candidate?: readonly string[];
  readonly only?: boolean;
  readonly output: OutputFormat;
}

/** Adds `citadel policy replay`. */
export function addReplay(policy: Command): void {
  const command = policy
    .command('replay')
    .description(
      'recorded calls decided again under a candidate; exit code 1 where any would be decided otherwise',
    )
    .option('--candidate <file...>', policyFilesHelp)
    .option(
      '--only',
      'the candidate is all that would hold; default: it takes the place of policies of its names',
    );
  withOutput(withRecords(withWorld(withRemoval(command)))).action(async () => {
    const options = command.opts<Options>();
    if (options.candidate === undefined && options.remove === undefined)
      throw new CitadelError('OutOfRange', 'say what would hold: --candidate FILE, or --remove POLICY');
    const before = await loadWorld(options);
    const after = candidateWorld(before, options);
    const records = await loadRecords(options, before);
    const { rulesVersionsOf } = await import('../../app/decision-rules.ts');
    const report = replay(records.records, before, after, rulesVersionsOf(before.settings));
    if (options.output === 'table') process.stdout.write(reportText(report, records));
    else
      printValue(
        {
          ...report,
          sample: records.head?.sample,
          sampling: sampleWords(report.sampled, records.head?.sample),
          caveats: recordsCaveats(records),
        },
        options.output,
      );
    if (report.changes.length > 0 || records.faulty > 0) throw new ExitRequest(exitCodes.warning);
  });
}

function candidateWorld(before: PolicyWorld, { candidate, remove = [], only }: Options): PolicyWorld {
  const left = withoutNamed(before, remove);
  if (candidate === undefined) return left;
  const { files, unreadable } = readPolicyFiles(candidate);
  if (unreadable.length > 0) throw new CitadelError('FailedPrecondition', unreadable.join('\n'));
  const read = files.map(({ source, text }) => readPolicies(text, { source }));
  const problems = read.flatMap((each) => each.problems);
  for (const problem of problems) process.stderr.write(`${printable(formatPolicyProblem(problem))}\n`);
  if (problems.length > 0) throw new ExitRequest(exitCodes.broken);
  const policies = read.flatMap((each) => each.policies);
  return only === true ? { ...before, policies } : withPolicies(left, policies);
}

function reportText(report: ReplayReport, records: ReadRecords): string {
  const { total, unchanged, changes, undecided, mismatches, gone, decidedByOthers, sampled } = report;
  const lines = [
    `${tallyText(total)} recorded. ${callsText(unchanged.calls)} would be decided as before.`,
    '',
    ...groupsText(changes, 'No recorded call would be decided otherwise.'),
  ];
  if (undecided.length > 0) {
    lines.push('', 'Cannot be told, because the record does not have what would decide:');
    for (const { lacks, examples, ...tally } of undecided)
      lines.push(
        `  ${callsText(tally.calls)}: ${lacks.join(', ')}${examples[0] ? ` (as ${exampleText(examples[0])})` : ''}`,
      );
  }
  if (mismatches.length > 0) {
    lines.push(
      '',
      'Recorded otherwise than the present policies decide; these have changed since, or a proxy was behind. They say nothing of the candidate:',
    );
    for (const { callee, caller, before, rules, calls } of mismatches)
      lines.push(`  ${callsText(calls)}: ${caller} to ${callee}; now: ${before}${standingText[rules]}`);
  }
  if (decidedByOthers.records > 0)
    lines.push('', `${callsText(decidedByOthers.calls)} were decided by other rules than those of now.`);
  if (gone.records > 0)
    lines.push(
      '',
      `${callsText(gone.calls)} to what is there no more: ${gone.callees.slice(0, 5).join(', ')}`,
    );
  const sample = sampleWords(sampled, records.head?.sample);
  if (sample !== undefined) lines.push('', sample);
  lines.push(...recordsCaveats(records).map((line) => `Note: ${line}.`));
  return `${lines.map(printable).join('\n')}\n`;
}

/** By what its proxy told of itself. */
const standingText = {
  same: '; decided by the rules of now all the same',
  changed: '; decided by other rules than those of now',
  unknown: '',
} as const;

function groupsText(groups: readonly ReplayGroup[], none: string): readonly string[] {
  if (groups.length === 0) return [none];
  return [
    ...tableText(groups, columns).trimEnd().split('\n'),
    '',
    'Examples:',
    ...groups.flatMap(({ becomes, examples }) =>
      examples.map((example) => `  ${becomes}: ${exampleText(example)}`),
    ),
  ];
}

const columns = [
  { title: 'BECOMES', value: ({ becomes }: ReplayGroup) => becomes },
  { title: 'CALLS', value: ({ calls }: ReplayGroup) => String(calls) },
  { title: 'CALLER', value: ({ caller }: ReplayGroup) => caller },
  { title: 'CALLEE', value: ({ callee, port }: ReplayGroup) => `${callee}:${port === 0 ? 'other' : port}` },
  { title: 'NOW', value: ({ before }: ReplayGroup) => before },
  { title: 'THEN', value: ({ after }: ReplayGroup) => after },
];

function exampleText({ record }: ReplayGroup['examples'][number]): string {
  const { caller, transport, workload, host, count, last } = record;
  const asked = host === undefined ? '' : `, host ${host}`;
  return `${requestWords(record)} from ${caller ?? transport} to ${workload}${asked}, ${callsText(count)}, last ${formatTime(last)}`;
}

function tallyText({ calls, records }: Tally): string {
  return `${callsText(calls)} in ${records} different way${records === 1 ? '' : 's'}`;
}
