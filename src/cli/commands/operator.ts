import { Argument, type Command, Option } from 'commander';
import * as wire from '../../gen/citadel/v1/operator.ts';
import { CitadelError, Secret, standardInput } from '../../kernel/index.ts';
import { encodeCertificateRequest, generateRequestKey } from '../../pki/light.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection, readText } from '../connection.ts';
import { type ReadingOptions, withConnection, withYes } from '../options.ts';
import { formatTime, printRecord, printRows } from '../output.ts';
import { enrolledAs, prepareProfile, profileDirectory, writeProfile } from '../profile.ts';
import { reading } from './reading.ts';

const roles = ['viewer', 'author', 'operator'] as const;
type RoleName = (typeof roles)[number];

const roleNumbers: Readonly<Record<RoleName, wire.Role>> = {
  viewer: wire.Role.ROLE_VIEWER,
  author: wire.Role.ROLE_AUTHOR,
  operator: wire.Role.ROLE_OPERATOR,
};

interface Changing {
  readonly yes?: boolean;
}

interface EnrolOptions extends ConnectionOptions, Changing {
  readonly name: string;
  readonly role?: RoleName;
  readonly credentialFile?: string;
}

/** Adds `citadel operator ...`. */
export function addOperatorCommands(program: Command): void {
  const operator = program.command('operator').description('who may do what here');
  reading(
    operator.command('whoami').description('who the server says you are'),
    async (connection, options) => {
      const { subject, role, proof } = await connection.call(wire.OperatorServiceService.whoAmI, {});
      printRecord({ subject, role: roleName(role), proof }, options.output);
    },
  );
  reading(
    operator.command('list').description('list operators'),
    async (connection, options: ReadingOptions) => {
      const { operators } = await connection.call(wire.OperatorServiceService.listOperators, {});
      printRows(
        operators.map((row) => ({ ...row, role: roleName(row.role) })),
        [
          { title: 'SUBJECT', value: (row) => row.subject },
          { title: 'ROLE', value: (row) => row.role },
          { title: 'GRANTED AT', value: (row) => formatTime(row.grantedAt) },
          { title: 'GRANTED BY', value: (row) => row.grantedBy },
        ],
        options.output,
      );
    },
  );
  addEnrol(operator);
  changing(
    operator.command('grant').description('give a role').argument('<subject>').addArgument(roleArgument()),
    ([subject, role]) => `Grants the role ${role} to ${subject}.`,
    async (connection, [subject = '', role = '']) => {
      await connection.call(wire.OperatorServiceService.grantRole, { subject, role: roleNumber(role) });
      process.stdout.write(`${subject} has the role ${role}.\n`);
    },
  );
  changing(
    operator.command('revoke').description('take the role away').argument('<subject>'),
    ([subject]) => `Takes every role from ${subject}; certificates that it holds no longer open anything.`,
    async (connection, [subject = '']) => {
      await connection.call(wire.OperatorServiceService.revokeRole, { subject });
      process.stdout.write(`${subject} has no role any more.\n`);
    },
  );
}

function addEnrol(operator: Command): void {
  const command = operator
    .command('enrol')
    .description('get a client certificate: by the one-time credential, by --socket, or to renew your own')
    .requiredOption('--name <name>', 'your name here, [a-z0-9-]')
    .option('--credential-file <path>', 'the one-time credential; - reads standard input')
    .addOption(new Option('--role <role>', 'of the new operator').choices(roles));
  withConnection(withYes(command)).action(async () => {
    const options = command.opts<EnrolOptions>();
    const directory = profileDirectory(process.env);
    const credential = options.credentialFile === undefined ? '' : readCredential(options.credentialFile);
    const connection = connectOperator(options);
    try {
      await confirm(
        `Makes a key, enrols as operator:${options.name} and writes both to ${directory}${replaced(directory, options.name)}.`,
        options.yes,
      );
      prepareProfile(directory);
      const key = await generateRequestKey('ecdsa-p256');
      const reply = await connection.call(wire.OperatorServiceService.enrolOperator, {
        credential,
        csr: encodeCertificateRequest(key),
        name: options.name,
        role: options.role ? roleNumbers[options.role] : wire.Role.ROLE_UNSPECIFIED,
      });
      const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
      const chain = reply.certificateChain.join('');
      writeProfile(directory, { key: new Secret(pem), chain, bundle: reply.trustBundle });
      process.stdout.write(`operator:${options.name} is enrolled with the role ${roleName(reply.role)}.\n`);
    } finally {
      connection.close();
    }
  });
}

/** What of another operator is lost by it. */
function replaced(directory: string, name: string): string {
  const before = enrolledAs(directory);
  return before === undefined || before === name
    ? ''
    : `, in place of those of ${before} (CITADEL_HOME names another directory)`;
}

/** A command that changes something: says what first, and does it with --yes or a yes. */
function changing(
  command: Command,
  plan: (args: readonly string[]) => string,
  run: (connection: OperatorConnection, args: readonly string[]) => Promise<void>,
): void {
  withConnection(withYes(command)).action(async () => {
    const options = command.opts<ConnectionOptions & Changing>();
    const connection = connectOperator(options);
    try {
      await confirm(plan(command.args), options.yes);
      await run(connection, command.args);
    } finally {
      connection.close();
    }
  });
}

function readCredential(file: string): string {
  const credential = readText(file === '-' ? standardInput : file, 'credential').trim();
  if (credential === '') throw new CitadelError('FailedPrecondition', 'the credential is empty');
  return credential;
}

function roleArgument() {
  return new Argument('<role>').choices(roles);
}

function roleNumber(name: string): wire.Role {
  const role = roles.find((known) => known === name);
  return role ? roleNumbers[role] : wire.Role.ROLE_UNSPECIFIED;
}

function roleName(role: wire.Role): string {
  return roles.find((name) => roleNumbers[name] === role) ?? 'none';
}
