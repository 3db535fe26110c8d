import { type PolicyWorld, proposeTests, readPolicyTests, runPolicyTest } from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { loadRecords, type RecordsOptions, recordsCaveats } from '../policy-records.ts';
import { loadWorld, type WorldOptions } from '../policy-world.ts';
import { callsText } from './policy-records.ts';

export interface InitOptions extends WorldOptions, RecordsOptions {
  readonly to?: string;
}

/** Prints tests that say what was recorded, for an author to look through. */
export async function initTests(options: InitOptions): Promise<void> {
  const { to } = options;
  if (to === undefined)
    throw new CitadelError(
      'OutOfRange',
      'of which callee? Give --to, a workload or a service as shop/orders',
    );
  const world = await loadWorld(options);
  const records = await loadRecords(options, world);
  const { text, cases, leftOut } = proposeTests(records.records, world, { to });
  const lines = [
    text === undefined
      ? 'Nothing that was recorded makes a test.'
      : `What was recorded of calls to ${to}, ${cases} case${cases === 1 ? '' : 's'}. It says what happened: keep what is meant.`,
    ...(leftOut > 0
      ? [`Of ${callsText(leftOut)} no case is made: the record does not tell enough of them.`]
      : []),
    ...failing(text, world),
    ...recordsCaveats(records).map((line) => `Note: ${line}.`),
  ];
  process.stdout.write(lines.map((line) => `# ${printable(line)}\n`).join('') + (text ?? ''));
  if (text === undefined) throw new ExitRequest(exitCodes.warning);
}

/** What was recorded under other policies than those of now, or hangs on what is not recorded. */
function failing(text: string | undefined, world: PolicyWorld): readonly string[] {
  const { tests } = readPolicyTests(text ?? '', 'proposed');
  const names = tests
    .flatMap((test) => runPolicyTest(test, world, new Date()).cases)
    .filter(({ failures }) => failures.length > 0)
    .map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    'Not so by the policies that hold now: they have changed since, or it hangs on what is not recorded.',
    ...names.map((name) => `  ${name}`),
  ];
}
