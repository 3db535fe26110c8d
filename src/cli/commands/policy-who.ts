import { type Command, Option } from 'commander';
import {
  accessGraph,
  type Caller,
  calleeName,
  graphAsDot,
  graphAsSvg,
  type PolicyWorld,
  type PortAccess,
  whatReaches,
  whoReaches,
} from '../../domain/policy/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { type Column, printable, printRows, tableText } from '../output.ts';
import { type RemovalOptions, readCandidates, withRemoval } from '../policy-candidates.ts';
import { loadWorld, type WorldOptions, withWorld } from '../policy-world.ts';
import { tell } from './policy-change.ts';
import { policyFilesHelp } from './policy-text.ts';

interface AccessOptions extends WorldOptions, OutputOptions, RemovalOptions {
  readonly to?: string;
  readonly from?: string;
  readonly graph?: 'dot' | 'svg';
}

const withGraph = (command: Command) =>
  withOutput(withWorld(withRemoval(command)))
    .argument('[file...]', `with them in the place of the policies of their names; ${policyFilesHelp}`)
    .addOption(
      new Option('--graph <form>', 'as a graph, for Graphviz or as a picture').choices(['dot', 'svg']),
    );

async function worldOf({ args }: Command, options: AccessOptions): Promise<PolicyWorld> {
  const candidates = readCandidates(args, { remove: options.remove ?? [] });
  return candidates.applyTo(await loadWorld(options));
}

/** Adds `citadel policy who`. */
export function addWho(policy: Command): void {
  const command = policy
    .command('who')
    .description(
      'every caller that may reach a workload, and what it may ask for, worked out of the policies',
    )
    .requiredOption('--to <callee>', 'a service or a workload, as shop/orders or shop/orders:8080');
  withGraph(command).action(async () => {
    const options = command.opts<AccessOptions>();
    print(whoReaches(await worldOf(command, options), options.to ?? ''), options, undefined);
  });
}

/** Adds `citadel policy what`. */
export function addWhat(policy: Command): void {
  const command = policy
    .command('what')
    .description('all that an identity may reach, and how, worked out of the policies')
    .requiredOption(
      '--from <caller>',
      'a SPIFFE ID, NAMESPACE/SERVICE-ACCOUNT, a workload’s id, or plaintext',
    );
  withGraph(command).action(async () => {
    const options = command.opts<AccessOptions>();
    const { caller, ports } = whatReaches(await worldOf(command, options), options.from ?? '');
    if (caller.identity !== undefined && caller.workloads.length === 0)
      tell(`note: no workload here is ${caller.identity}: told is what its certificate would open`);
    print(ports, options, caller);
  });
}

function print(
  ports: readonly PortAccess[],
  { graph, output }: AccessOptions,
  caller: Caller | undefined,
): void {
  const name = caller && (caller.identity ?? 'plaintext');
  if (graph !== undefined) {
    const made = accessGraph(ports, name);
    process.stdout.write(graph === 'dot' ? graphAsDot(made) : graphAsSvg(made));
  } else if (output === 'table') {
    const rows = ports.flatMap((port) => rowsOf(port));
    process.stdout.write(
      rows.length > 0
        ? tableText(rows, columns(caller !== undefined))
        : `Nothing is open to ${name === undefined ? 'anyone' : printable(name)}.\n`,
    );
  } else printRows(ports, [], output);
  const open = ports.filter(({ complete }) => !complete);
  for (const port of open) process.stderr.write(`${printable(openWords(port))}\n`);
  if (open.length > 0) throw new ExitRequest(exitCodes.warning);
}

interface Row {
  readonly to: string;
  readonly callers: string;
  readonly methods: string;
  readonly paths: string;
  readonly conditions: string;
}

function rowsOf(port: PortAccess): readonly Row[] {
  const to = calleeName(port);
  const row = (callers: string, conditions: string, methods = '', paths = ''): Row => ({
    to,
    callers,
    methods,
    paths,
    conditions,
  });
  if (!port.enforced)
    return [row('anyone, plaintext included', 'no proxy stands there: nothing is enforced')];
  if (port.access.length === 0) return port.undecided ? [row('?', 'not worked out')] : [row('nobody', '')];
  return port.access.map(({ callers, methods, paths, conditions }) =>
    row(callers, conditions.join(', ') || '-', methods || '-', paths || 'any connection'),
  );
}

function columns(isOfOneCaller: boolean): readonly Column<Row>[] {
  return [
    { title: 'TO', value: ({ to }) => to },
    ...(isOfOneCaller ? [] : [{ title: 'CALLER', value: ({ callers }: Row) => callers }]),
    { title: 'METHODS', value: ({ methods }) => methods },
    { title: 'PATHS', value: ({ paths }) => paths },
    { title: 'WHEN', value: ({ conditions }) => conditions },
  ];
}

function openWords(port: PortAccess): string {
  const { undecided, access } = port;
  const why = undecided
    ? `${undecided.reason}${undecided.policies.length > 0 ? `: ${undecided.policies.join(', ')}` : ''}`
    : `there are more ways in than the ${access.length} that are told`;
  return `warning: ${calleeName(port)}: not all is told: ${why}`;
}
