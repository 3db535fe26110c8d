import { type Command, Option } from 'commander';
import {
  type AuditEvent,
  type Authority,
  OperatorServiceService as api,
  type Certificate,
} from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { OperatorConnection } from '../connection.ts';
import { futureTime, pageSizeArgument, pastTime, type ReadingOptions } from '../options.ts';
import { formatTime, type OutputFormat, printRecord, printRows, tellNextPage } from '../output.ts';
import { printProxies, printProxy } from './proxy.ts';
import { describeReKeying, reKeyingCell } from './re-keying.ts';
import { reading } from './reading.ts';
import { addAuthorityRevokeCommand, addCertificateRevokeCommands } from './revoke.ts';
import { addImportCommand } from './rotate.ts';
import { addTaintCommand } from './taint.ts';

interface CertificateFilters {
  readonly spiffeId?: string;
  readonly issuer?: string;
  readonly state?: string;
  readonly expiresBefore?: Date;
  readonly expiresAfter?: Date;
  readonly limit: number;
  readonly page?: string;
}

interface AuditFilters {
  readonly action?: string;
  readonly subject?: string;
  readonly after?: Date;
  readonly limit: number;
  readonly page?: string;
}

/** Adds the commands that only read. */
export function addReadingCommands(program: Command): void {
  addCertificate(program);
  addAuthority(program);
  addProxy(program);
  addBundle(program);
  const audit = program.command('audit').description('the audit record');
  const auditList = audit
    .command('list')
    .description('list events, newest first')
    .option('--action <name>', 'only this action, as in certificate.issue')
    .option('--subject <name>', 'only by this subject')
    .option('--after <time>', 'only after this time: RFC 3339, or a duration ago', pastTime)
    .option('--limit <count>', 'how many', pageSizeArgument, 100)
    .option('--page <token>', 'go on after a page');
  reading(auditList, async (connection, { output }) => {
    const options = auditList.opts<AuditFilters>();
    const response = await connection.call(api.listAuditEvents, {
      action: options.action ?? '',
      subject: options.subject ?? '',
      after: options.after,
      pageSize: options.limit,
      pageToken: options.page ?? '',
    });
    printRows(response.events, auditColumns, output);
    tellNextPage(response.nextPageToken);
  });
}

function addCertificate(program: Command): void {
  const certificate = program.command('certificate').description('issued certificates');
  const certificateList = certificate
    .command('list')
    .description('list them, newest first')
    .option('--spiffe-id <id>', 'only of this SPIFFE ID')
    .option('--issuer <id>', 'only of this issuing authority: its id, or the beginning of its fingerprint')
    .addOption(
      new Option('--state <state>', 'only in this state').choices([
        'intended',
        'issued',
        'failed',
        'abandoned',
      ]),
    )
    .option('--expires-before <time>', 'RFC 3339, or a duration from now', futureTime)
    .option('--expires-after <time>', 'RFC 3339, or a duration from now', futureTime)
    .option('--limit <count>', 'how many', pageSizeArgument, 100)
    .option('--page <token>', 'go on after a page');
  reading(certificateList, async (connection, { output }) => {
    const options = certificateList.opts<CertificateFilters>();
    const response = await connection.call(api.listCertificates, {
      spiffeId: options.spiffeId ?? '',
      issuerFingerprint: await issuerFingerprint(connection, options.issuer),
      state: options.state ?? '',
      expiresBefore: options.expiresBefore,
      expiresAfter: options.expiresAfter,
      pageSize: options.limit,
      pageToken: options.page ?? '',
    });
    printRows(response.certificates, certificateColumns, output);
    tellNextPage(response.nextPageToken);
  });
  reading(
    certificate.command('show').description('show one').argument('<serial>', 'hexadecimal'),
    async (connection, options: ReadingOptions, serial = '') => {
      const shown = await connection.call(api.getCertificate, { serial: plainHexadecimal(serial) });
      printRecord({ ...shown }, options.output);
    },
  );
  addCertificateRevokeCommands(certificate);
}

function addBundle(program: Command): void {
  const show = program
    .command('bundle')
    .description('the trust bundle')
    .command('show')
    .description('show it: authorities as PEM, and the SPIFFE document')
    .addOption(
      new Option('--format <format>', 'print it alone: the authorities, or the SPIFFE document')
        .choices(['pem', 'spiffe'])
        .conflicts('output'),
    );
  reading(show, async (connection, { output }) => {
    const { format } = show.opts<{ readonly format?: 'pem' | 'spiffe' }>();
    const { bundle, pem, jwks } = await connection.call(api.getBundle, { trustDomain: '' });
    const { trustDomain, version, sequenceNumber } = bundle ?? {};
    if (format === undefined) printRecord({ trustDomain, version, sequenceNumber, pem, jwks }, output);
    else process.stdout.write(`${(format === 'pem' ? pem : jwks).trimEnd()}\n`);
  });
}

function addAuthority(program: Command): void {
  const authority = program.command('authority').description('roots and issuing authorities');
  addImportCommand(authority);
  addTaintCommand(authority);
  addAuthorityRevokeCommand(authority);
  reading(authority.command('list').description('list them'), async (connection, options) => {
    const { authorities } = await connection.call(api.listAuthorities, {});
    const tainted = authorities.some(({ reKeying }) => reKeying !== undefined);
    const columns = tainted ? [...authorityColumns, reKeyingColumn] : authorityColumns;
    printRows(authorities, columns, options.output);
  });
  reading(
    authority
      .command('show')
      .description('show one')
      .argument('<id>', 'its id, or the beginning of its fingerprint'),
    async (connection, options: ReadingOptions, id = '') => {
      printAuthority(await authorityOf(connection, id), options.output);
    },
  );
}

function printAuthority({ reKeying, ...authority }: Authority, output: OutputFormat): void {
  if (output !== 'table') return printRecord({ ...authority, reKeying }, output);
  const told =
    reKeying === undefined
      ? {}
      : {
          reKeying: reKeying.superseded
            ? describeReKeying(reKeying, new Date()).join('\n')
            : 'no other issuing authority signs yet, and nobody is told to come: citadel check',
        };
  printRecord({ ...authority, ...told }, output);
}

/** An authority that is no longer known here can still be named by its whole fingerprint. */
async function issuerFingerprint(connection: OperatorConnection, id = ''): Promise<string> {
  const whole = plainHexadecimal(id);
  if (whole === '' || /^[0-9a-f]{64}$/.test(whole)) return whole;
  return (await authorityOf(connection, id)).fingerprint;
}

/** @throws CitadelError NotFound, or OutOfRange for the beginning of more than one */
async function authorityOf(connection: OperatorConnection, id: string): Promise<Authority> {
  const { authorities } = await connection.call(api.listAuthorities, {});
  const beginning = plainHexadecimal(id);
  const named = authorities.filter((one) => one.id === id);
  const begun = authorities.filter((one) => beginning.length >= 8 && one.fingerprint.startsWith(beginning));
  const [first, second] = named.length > 0 ? named : begun;
  if (second !== undefined)
    throw new CitadelError('OutOfRange', `more than one authority begins with ${id}; give more digits`);
  if (first !== undefined) return first;
  throw new CitadelError('NotFound', 'there is no such authority; citadel authority list names them');
}

/** As people copy it: with colons, in capitals. */
function plainHexadecimal(text: string): string {
  return text.replaceAll(':', '').toLowerCase();
}

function addProxy(program: Command): void {
  const proxy = program.command('proxy').description('proxies, and what each was sent, accepted and uses');
  const listed = (connection: OperatorConnection) => connection.call(api.listProxies, {});
  reading(proxy.command('list').description('list them'), async (connection, options) => {
    printProxies((await listed(connection)).proxies, options.output);
  });
  reading(
    proxy.command('show').description('show one').argument('<key>', 'as proxy list names it'),
    async (connection, options: ReadingOptions, key) => {
      const { proxies } = await listed(connection);
      const shown = proxies.find((one) => one.key === key);
      if (shown === undefined)
        throw new CitadelError('NotFound', 'there is no such proxy; citadel proxy list names them');
      printProxy(shown, options.output);
    },
  );
}

const certificateColumns = [
  { title: 'SERIAL', value: (row: Certificate) => row.serial },
  { title: 'SPIFFE ID', value: (row: Certificate) => row.spiffeId },
  { title: 'STATE', value: (row: Certificate) => row.state },
  { title: 'NOT AFTER', value: (row: Certificate) => formatTime(row.notAfter) },
  { title: 'ISSUER', value: (row: Certificate) => row.issuerFingerprint.slice(0, 16) },
];

const authorityColumns = [
  { title: 'ID', value: (row: Authority) => row.id },
  { title: 'KIND', value: (row: Authority) => row.kind },
  { title: 'STATE', value: (row: Authority) => (row.tainted ? `${row.state} (tainted)` : row.state) },
  { title: 'KEY', value: (row: Authority) => row.keyBackend },
  { title: 'NOT AFTER', value: (row: Authority) => formatTime(row.notAfter) },
  { title: 'FINGERPRINT', value: (row: Authority) => row.fingerprint.slice(0, 16) },
];

const reKeyingColumn = {
  title: 'RE-KEYED',
  value: (row: Authority) => reKeyingCell(row, new Date()),
};

const auditColumns = [
  { title: 'AT', value: (row: AuditEvent) => formatTime(row.at) },
  { title: 'ACTION', value: (row: AuditEvent) => row.action },
  { title: 'OUTCOME', value: (row: AuditEvent) => row.outcome },
  { title: 'SUBJECT', value: (row: AuditEvent) => row.subject },
  { title: 'PROOF', value: (row: AuditEvent) => row.proof },
  { title: 'TARGET', value: (row: AuditEvent) => row.target },
  { title: 'REASON', value: (row: AuditEvent) => row.reason },
];
