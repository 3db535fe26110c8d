import { type Command, InvalidArgumentError } from 'commander';
import {
  defaultSuggestOptions,
  isDnsSubdomain,
  type LeftOut,
  type LeftOutReason,
  requestWords,
  type SuggestedCaller,
  type Suggestion,
  sampleWords,
  suggest,
} from '../../domain/policy/index.ts';
import type { ReadRecords } from '../../domain/records/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { withOutput } from '../options.ts';
import { formatTime, type OutputFormat, printable, printValue, tableText } from '../output.ts';
import { loadRecords, type RecordsOptions, recordsCaveats, withRecords } from '../policy-records.ts';
import { loadWorld, type WorldOptions, withWorld } from '../policy-world.ts';
import { callsText } from './policy-records.ts';

interface Options extends WorldOptions, RecordsOptions {
  readonly to: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly minCalls: number;
  readonly ids: number;
  readonly maxPaths: number;
  readonly output: OutputFormat;
}

/** Adds `citadel policy suggest`. */
export function addSuggest(policy: Command): void {
  const command = policy
    .command('suggest')
    .description('the least policy that lets in what was recorded: YAML, with what it stands on as comments')
    .requiredOption('--to <callee>', 'a workload or a service, as shop/orders')
    .option('--selector <key=value>', 'in place of the label that names the application', label)
    .option('--name <name>', 'of the policy (default: suggested-, and the name of the callee)', objectName)
    .option('--min-calls <count>', 'flag callers with fewer calls', count, defaultSuggestOptions.minimumCalls)
    .option(
      '--ids <count>',
      'so many identifiers that differ in one place of a path become {*}',
      count,
      defaultSuggestOptions.variety,
    )
    .option(
      '--max-paths <count>',
      'leave out callers with more paths, once these are generalised',
      count,
      defaultSuggestOptions.mostPaths,
    );
  withOutput(withRecords(withWorld(command))).action(async () => {
    const options = command.opts<Options>();
    const { to, selector, name, output } = options;
    const world = await loadWorld(options);
    const records = await loadRecords(options, world);
    const suggestion = suggest(records.records, world, {
      to,
      selector,
      name,
      minimumCalls: options.minCalls,
      variety: options.ids,
      mostPaths: options.maxPaths,
    });
    if (output === 'table') process.stdout.write(suggestionText(suggestion, records));
    else
      printValue(
        { ...suggestion, sample: records.head?.sample, caveats: caveats(suggestion, records) },
        output,
      );
    if (suggestion.text === undefined) throw new ExitRequest(exitCodes.warning);
  });
}

function suggestionText(suggestion: Suggestion, records: ReadRecords): string {
  const { text, callers, leftOut, replay, workloads } = suggestion;
  const denied = replay.changes.filter(({ becomes }) => becomes === 'denied');
  const lines = [
    text === undefined
      ? 'Nothing that was recorded can be proposed.'
      : `Lets in what was recorded of calls to ${workloads.slice(0, 5).join(', ')}${workloads.length > 5 ? `, ${workloads.length} in all` : ''}:`,
    ...indented(callers.length === 0 ? [] : tableText(callers, callerColumns).trimEnd().split('\n')),
    ...(leftOut.length > 0 ? ['', 'Left out:', ...indented(leftOut.map(leftOutText))] : []),
    ...(denied.length > 0
      ? [
          '',
          'Of what was recorded as allowed, it would deny:',
          ...indented(
            denied.map(
              ({ calls, caller, examples: [example] }) =>
                `${callsText(calls)} of ${caller}${example ? `, as ${requestWords(example.record)}` : ''}`,
            ),
          ),
        ]
      : []),
    ...caveats(suggestion, records).flatMap((line) => ['', line]),
  ];
  return `${lines.map((line) => `# ${printable(line)}`.trimEnd()).join('\n')}\n${text ?? ''}`;
}

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

const callerColumns = [
  { title: 'CALLER', value: ({ caller }: SuggestedCaller) => caller },
  { title: 'CALLS', value: ({ calls }: SuggestedCaller) => String(calls) },
  { title: 'LAST', value: ({ last }: SuggestedCaller) => formatTime(last) },
  { title: '', value: ({ isRare }: SuggestedCaller) => (isRare ? 'seldom: is it meant?' : '') },
];

const reasons: Readonly<Record<LeftOutReason, string>> = {
  denied: 'denied when they were made',
  plaintext: 'not by mutual TLS: who called is not proved',
  'caller-not-kept': 'the record does not tell who called',
  'request-not-kept': 'the record does not tell the port, method or path',
  unwritable:
    'a method or path that no policy can name for itself, or that its proxy refuses where paths are compared',
  'port-gone': 'to a port that is there no more',
  'too-many-paths': 'a caller with too many different paths: write its rule by hand, or raise --max-paths',
  'too-many-callers': 'more callers than one policy takes',
};

function leftOutText({ reason, calls, callers, examples: [example] }: LeftOut): string {
  return `${callsText(calls)}: ${reasons[reason]} (${callers.join(', ')}${example ? `; as ${requestWords(example)}` : ''})`;
}

function caveats(suggestion: Suggestion, records: ReadRecords): readonly string[] {
  const { besides, replay, warnings, text } = suggestion;
  const { sampled, undecided } = replay;
  const unknown = undecided.reduce((sum, { calls }) => sum + calls, 0);
  const sampling = sampleWords(sampled, records.head?.sample);
  return [
    ...(besides.length > 0 && text !== undefined
      ? [`Other ALLOW policies hold there and go on letting in what they name: ${besides.join(', ')}.`]
      : []),
    ...(sampling === undefined ? [] : [sampling]),
    ...(unknown > 0 ? [`Of ${callsText(unknown)} it cannot be told whether they would be let in.`] : []),
    ...warnings.map(({ message, mend }) => `Warning: ${message}; ${mend}.`),
    ...recordsCaveats(records).map((line) => `Note: ${line}.`),
  ];
}

function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('must be a number from 1 to 999999');
}

function objectName(text: string): string {
  if (isDnsSubdomain(text)) return text;
  throw new InvalidArgumentError('must be a name of lower-case letters, digits, - and . (RFC 1123)');
}

function label(text: string): Readonly<Record<string, string>> {
  const [key = '', value, ...more] = text.split('=');
  if (key !== '' && value !== undefined && more.length === 0) return { [key]: value };
  throw new InvalidArgumentError('write it as app=orders');
}
