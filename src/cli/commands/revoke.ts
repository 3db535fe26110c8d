import { type Command, Option } from 'commander';
import {
  OperatorServiceService as api,
  type CrlStatus,
  type RevocationImpact,
  type Revocations,
  type RevokeCertificatesRequest,
  type UnenforcedAt,
} from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection } from '../connection.ts';
import { withConnection, withYes } from '../options.ts';
import { formatTime, type OutputFormat, printable, printRecord, printRows } from '../output.ts';
import { reading } from './reading.ts';

interface RevokeOptions extends ConnectionOptions {
  readonly yes?: boolean;
  readonly reason: string;
}

interface CertificateOptions extends RevokeOptions {
  readonly issuer?: string;
  readonly code: string;
}

const codes = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
];

/** Adds `certificate revoke` and `certificate revocations`. */
export function addCertificateRevokeCommands(certificate: Command): void {
  const command = certificate
    .command('revoke')
    .description('take certificates back: they open nothing here any more, and proxies refuse them')
    .argument('[serial or SPIFFE ID]', 'one certificate, or all valid ones of an identity')
    .option('--issuer <id>', 'all valid ones of this issuing authority: its id or fingerprint')
    .addOption(new Option('--code <code>', 'what the CRL says').choices(codes).default('unspecified'));
  revoking(command, async (connection, order) => {
    const options = command.opts<CertificateOptions>();
    const target = readTarget(command.args[0], options.issuer);
    return connection.call(api.revokeCertificates, { ...order, target, code: options.code });
  });
  reading(
    certificate
      .command('revocations')
      .description('what is revoked, the CRLs, and where they are not enforced'),
    async (connection, { output }) => {
      printRevocations(await connection.call(api.getRevocations, {}), output);
    },
  );
}

/** Adds `authority revoke`. */
export function addAuthorityRevokeCommand(authority: Command): void {
  const command = authority
    .command('revoke')
    .description('take a tainted authority out for good, with all that it issued')
    .argument('<id>', 'its id or fingerprint');
  revoking(command, (connection, order) =>
    connection.call(api.revokeAuthority, { ...order, id: command.args[0] ?? '' }),
  );
}

interface Order {
  readonly reason: string;
  readonly dryRun: boolean;
}

/** Shows what the order would take back, and gives it with --yes or a yes. */
function revoking(
  command: Command,
  give: (connection: OperatorConnection, order: Order) => Promise<RevocationImpact>,
): void {
  withConnection(withYes(command.requiredOption('--reason <text>', 'for the record'))).action(async () => {
    const { yes, reason, ...options } = command.opts<RevokeOptions>();
    const connection = connectOperator(options);
    try {
      await confirm(describe(await give(connection, { reason, dryRun: true })), yes);
      const done = await give(connection, { reason, dryRun: false });
      process.stdout.write(`${counted(done.certificates, 'certificate')} revoked.\n`);
      for (const sentence of done.unenforced) process.stderr.write(`${printable(sentence)}\n`);
    } finally {
      connection.close();
    }
  });
}

const shown = 20;

function describe({
  certificates,
  revokedBefore,
  identities,
  identityCount,
  until,
}: RevocationImpact): string {
  const before = revokedBefore > 0 ? `; ${revokedBefore} were revoked before` : '';
  const end = until ? `, the last of which would end at ${formatTime(until)}` : '';
  const more = identityCount - Math.min(shown, identities.length);
  return [
    `Revokes ${counted(certificates, 'certificate')} of ${counted(identityCount, 'identity', 'identities')}${end}${before}.`,
    ...identities
      .slice(0, shown)
      .map((each) => `  ${printable(each.spiffeId)}: ${counted(each.certificates, 'certificate')}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    'Whoever holds one needs another proof than it for the next: a token. Agents with one come by themselves.',
  ].join('\n');
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function readTarget(
  what: string | undefined,
  issuer: string | undefined,
): RevokeCertificatesRequest['target'] {
  if ((what === undefined) === (issuer === undefined))
    throw new CitadelError('InvalidArgument', 'name one: a serial, a SPIFFE ID, or --issuer');
  if (issuer !== undefined) return { $case: 'issuer', value: issuer };
  return what?.startsWith('spiffe://') === true
    ? { $case: 'spiffeId', value: what }
    : { $case: 'serial', value: (what ?? '').replaceAll(':', '').toLowerCase() };
}

function printRevocations(found: Revocations, format: OutputFormat): void {
  if (format !== 'table') return printRecord({ ...found }, format);
  printRecord(
    {
      enforcement: found.enforcement,
      certificates: String(found.certificates),
      authorities: found.authorities.join('\n'),
      why: found.reasons.join('\n'),
      'on no CRL yet': found.unlisted.join('\n'),
    },
    format,
  );
  process.stdout.write('\n');
  printRows(found.crls, crlColumns, format);
  if (found.unenforced.length === 0) return;
  process.stdout.write('\n');
  printRows(found.unenforced, unenforcedColumns, format);
}

const crlColumns = [
  { title: 'CRL OF', value: (row: CrlStatus) => row.issuerId || row.issuerFingerprint.slice(0, 16) },
  { title: 'NUMBER', value: (row: CrlStatus) => String(row.number) },
  { title: 'ENTRIES', value: (row: CrlStatus) => String(row.entries) },
  { title: 'BYTES', value: (row: CrlStatus) => String(row.bytes) },
  { title: 'THIS UPDATE', value: (row: CrlStatus) => formatTime(row.thisUpdate) },
  { title: 'NEXT UPDATE', value: (row: CrlStatus) => formatTime(row.nextUpdate) },
];

const unenforcedColumns = [
  { title: 'NOT ENFORCED AT', value: (row: UnenforcedAt) => row.spiffeId },
  { title: 'KEY', value: (row: UnenforcedAt) => row.proxyKey },
  { title: 'WHY', value: (row: UnenforcedAt) => row.why },
];
