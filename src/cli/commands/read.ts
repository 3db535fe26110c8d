import type { Command } from 'commander';
import {
  type AuditEvent,
  type Authority,
  OperatorServiceService as api,
  type Certificate,
} from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { connectOperator, type OperatorConnection } from '../connection.ts';
import {
  pageSizeArgument,
  type ReadingOptions,
  timeArgument,
  withConnection,
  withOutput,
} from '../options.ts';
import { formatTime, printRecord, printRows, tellNextPage } from '../output.ts';
import { printProxies, printProxy } from './proxy.ts';

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
  const bundle = program.command('bundle').description('the trust bundle');
  reading(
    bundle.command('show').description('show it: authorities as PEM, and the SPIFFE document'),
    async (connection, options) => {
      const response = await connection.call(api.getBundle, { trustDomain: '' });
      const { bundle: head } = response;
      printRecord(
        {
          trustDomain: head?.trustDomain,
          version: head?.version,
          sequenceNumber: head?.sequenceNumber,
          pem: response.pem,
          jwks: response.jwks,
        },
        options.output,
      );
    },
  );
  const audit = program.command('audit').description('the audit record');
  const auditList = audit
    .command('list')
    .description('list events, newest first')
    .option('--action <name>', 'only this action, as in certificate.issue')
    .option('--subject <name>', 'only by this subject')
    .option('--after <time>', 'only after this time (RFC 3339)', timeArgument)
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

/** A command that asks a server: connection and output options, one connection, always closed. */
export function reading(
  command: Command,
  run: (connection: OperatorConnection, options: ReadingOptions, ...args: string[]) => Promise<void>,
): void {
  withOutput(withConnection(command)).action(async (...given: unknown[]) => {
    const options = command.opts<ReadingOptions>();
    const connection = connectOperator(options);
    try {
      await run(connection, options, ...given.filter((argument) => typeof argument === 'string'));
    } finally {
      connection.close();
    }
  });
}

function addCertificate(program: Command): void {
  const certificate = program.command('certificate').description('issued certificates');
  const certificateList = certificate
    .command('list')
    .description('list them, newest first')
    .option('--spiffe-id <id>', 'only of this SPIFFE ID')
    .option('--issuer <fingerprint>', 'only of this issuing authority')
    .option('--state <state>', 'intended, issued, failed or abandoned')
    .option('--expires-before <time>', 'RFC 3339, or a duration from now', timeArgument)
    .option('--expires-after <time>', 'RFC 3339, or a duration from now', timeArgument)
    .option('--limit <count>', 'how many', pageSizeArgument, 100)
    .option('--page <token>', 'go on after a page');
  reading(certificateList, async (connection, { output }) => {
    const options = certificateList.opts<CertificateFilters>();
    const response = await connection.call(api.listCertificates, {
      spiffeId: options.spiffeId ?? '',
      issuerFingerprint: options.issuer ?? '',
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
    certificate.command('show').description('show one').argument('<serial>', 'lower-case hexadecimal'),
    async (connection, options: ReadingOptions, serial = '') => {
      const plainSerial = serial.replaceAll(':', '').toLowerCase();
      const shown = await connection.call(api.getCertificate, { serial: plainSerial });
      printRecord({ ...shown }, options.output);
    },
  );
}

function addAuthority(program: Command): void {
  const authority = program.command('authority').description('roots and issuing authorities');
  const listed = (connection: OperatorConnection) => connection.call(api.listAuthorities, {});
  reading(authority.command('list').description('list them'), async (connection, options) => {
    printRows((await listed(connection)).authorities, authorityColumns, options.output);
  });
  reading(
    authority.command('show').description('show one').argument('<id>', 'its id or fingerprint'),
    async (connection, options: ReadingOptions, id) => {
      const { authorities } = await listed(connection);
      printRecord(
        { ...found(authorities, (one) => one.id === id || one.fingerprint === id) },
        options.output,
      );
    },
  );
}

function addProxy(program: Command): void {
  const proxy = program.command('proxy').description('proxies, and what each was sent, accepted and uses');
  const listed = (connection: OperatorConnection) => connection.call(api.listProxies, {});
  reading(proxy.command('list').description('list them'), async (connection, options) => {
    printProxies((await listed(connection)).proxies, options.output);
  });
  reading(
    proxy.command('show').description('show one').argument('<key>', 'its key'),
    async (connection, options: ReadingOptions, key) => {
      const { proxies } = await listed(connection);
      printProxy(
        found(proxies, (one) => one.key === key),
        options.output,
      );
    },
  );
}

function found<T>(rows: readonly T[], matches: (row: T) => boolean): T {
  const row = rows.find(matches);
  if (row !== undefined) return row;
  throw new CitadelError('NotFound', 'there is none of this name; the list command names them');
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

const auditColumns = [
  { title: 'AT', value: (row: AuditEvent) => formatTime(row.at) },
  { title: 'ACTION', value: (row: AuditEvent) => row.action },
  { title: 'OUTCOME', value: (row: AuditEvent) => row.outcome },
  { title: 'SUBJECT', value: (row: AuditEvent) => row.subject },
  { title: 'PROOF', value: (row: AuditEvent) => row.proof },
  { title: 'TARGET', value: (row: AuditEvent) => row.target },
  { title: 'REASON', value: (row: AuditEvent) => row.reason },
];
