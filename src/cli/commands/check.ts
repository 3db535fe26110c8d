import { type Command, Option } from 'commander';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError, describeError, type ErrorCode } from '../../kernel/index.ts';
import { type ConnectionOptions, connectOperator } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, seconds, withConnection, withOutput } from '../options.ts';
import { printRows } from '../output.ts';

interface Finding {
  readonly name: string;
  readonly severity: 'ok' | 'warning' | 'broken';
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

interface CheckOptions extends ConnectionOptions, OutputOptions {
  readonly pre?: boolean;
  readonly config?: string;
  readonly wait: number;
}

const retryPause = 500;

/** Adds `citadel check`. */
export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('say what is well and what is not; exit code 0 fine, 1 warning, 2 broken')
    .option('--pre', 'before the first start: judge the configuration and this machine')
    .addOption(new Option('--config <file>', 'with --pre').env('CITADEL_CONFIG'))
    .addOption(
      new Option('--wait <duration>', 'try until nothing is broken').default(0, 'no').argParser(seconds),
    );
  withOutput(withConnection(command)).action(async () => {
    const options = command.opts<CheckOptions>();
    const end = Date.now() + options.wait * 1000;
    let findings = await check(options);
    while (worst(findings) === 'broken' && Date.now() < end) {
      await new Promise((done) => setTimeout(done, Math.min(retryPause, Math.max(0, end - Date.now()))));
      findings = await check(options);
    }
    printRows(findings, columns, options.output);
    const code = { ok: exitCodes.ok, warning: exitCodes.warning, broken: exitCodes.broken }[worst(findings)];
    if (code !== exitCodes.ok) throw new ExitRequest(code);
  });
}

function check(options: CheckOptions): Promise<readonly Finding[]> {
  return options.pre ? checkBefore(options) : checkRunning(options);
}

async function checkRunning(options: ConnectionOptions): Promise<readonly Finding[]> {
  try {
    const connection = connectOperator(options);
    try {
      const { findings } = await connection.call(wire.OperatorServiceService.getStatus, {});
      return findings.map((finding) => ({ ...finding, severity: severityOf(finding.severity) }));
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof CitadelError) || error.code === 'OutOfRange') throw error;
    return [
      {
        name: 'operator-api',
        severity: 'broken',
        what: error.message,
        why: 'without it nothing else can be looked at',
        mend: mends[error.code] ?? '',
      },
    ];
  }
}

/** Of other codes the message says it. */
const mends: Partial<Record<ErrorCode, string>> = {
  Unavailable: 'citadel server --config FILE',
  Unauthenticated: 'citadel operator enrol --name NAME',
  PermissionDenied: 'citadel operator grant SUBJECT viewer',
};

async function checkBefore({ config }: CheckOptions): Promise<readonly Finding[]> {
  if (config === undefined)
    throw new CitadelError('OutOfRange', '--pre judges a configuration; name it with --config');
  const { preflight } = await import('../../app/config/index.ts');
  try {
    return await preflight({ file: config, env: process.env });
  } catch (error) {
    return [
      {
        name: 'configuration',
        severity: 'broken',
        what: describeError(error),
        why: 'a server would not start with it',
        mend: `citadel config validate --config ${config}`,
      },
    ];
  }
}

function severityOf(severity: wire.Finding_Severity): Finding['severity'] {
  if (severity === wire.Finding_Severity.SEVERITY_OK) return 'ok';
  return severity === wire.Finding_Severity.SEVERITY_WARNING ? 'warning' : 'broken';
}

function worst(findings: readonly Finding[]): Finding['severity'] {
  for (const severity of ['broken', 'warning'] as const)
    if (findings.some((finding) => finding.severity === severity)) return severity;
  return 'ok';
}

const columns = [
  { title: 'CHECK', value: (row: Finding) => row.name },
  { title: 'STATE', value: (row: Finding) => row.severity },
  { title: 'WHAT', value: (row: Finding) => row.what },
  { title: 'WHY', value: (row: Finding) => row.why },
  { title: 'MEND', value: (row: Finding) => row.mend },
];
