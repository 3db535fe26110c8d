import { isIP } from 'node:net';
import { SpiffeId } from '@citadel/spiffe';
import { z } from 'zod';
import { CitadelError } from '../../kernel/index.ts';
import type { DecisionRecord, ForgottenDecisions } from '../ports/index.ts';

/** What the first line of a file of records says of them all. */
export interface RecordsHead {
  /** Of allowed calls by mutual TLS, how many in a hundred were told of. */
  readonly sample: number;
  readonly forgotten: ForgottenDecisions | undefined;
}

const time = z.iso.datetime().transform((text) => new Date(text));
const text = z.string().min(1).max(1024);
const attributes = [
  'transport',
  'caller',
  'address',
  'port',
  'method',
  'path',
  'host',
  'serverName',
  'policy',
] as const;

const texts = ['caller', 'method', 'path', 'host', 'serverName', 'policy'] as const;

const headSchema = z.strictObject({
  apiVersion: z.literal('citadel.dev/v1'),
  kind: z.literal('DecisionRecords'),
  sample: z.number().min(0).max(100),
  forgotten: z.strictObject({ calls: z.int().min(0), until: time }).optional(),
});

const recordSchema = z.strictObject({
  workload: text,
  serviceAccount: text.optional(),
  labels: z.record(text, z.string().max(1024)).default({}),
  port: z.int().min(0).max(65_535),
  transport: z.enum(['plaintext', 'mtls', 'other-tls']),
  caller: text.refine(isSpiffeId, 'is no SPIFFE ID').optional(),
  addresses: z.array(z.string().refine((value) => isIP(value) !== 0, 'is no address')).max(64),
  method: text.optional(),
  path: text.startsWith('/').optional(),
  host: text.optional(),
  serverName: text.optional(),
  decision: z.enum(['allowed', 'denied']),
  refusedBy: z.enum(['policies', 'token', 'authorizer', 'connection']).optional(),
  policy: text.optional(),
  rule: z.int().min(0).optional(),
  rules: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  sampled: z.boolean(),
  lacks: z.array(z.enum(attributes)).default([]),
  period: time,
  first: time,
  last: time,
  count: z.int().min(1),
});

/** One line, without its end. */
export function formatRecordsHead({ sample, forgotten }: RecordsHead): string {
  return JSON.stringify({ apiVersion: 'citadel.dev/v1', kind: 'DecisionRecords', sample, forgotten });
}

/** One line, without its end; what is undefined is left out. */
export function formatRecord(record: DecisionRecord): string {
  return JSON.stringify(record);
}

/** Whether a line begins a file of records, well formed or not; undefined is no line. */
export function isRecordsHead(line: string | undefined): boolean {
  return line !== undefined && /"kind"\s*:\s*"DecisionRecords"/.test(line.slice(0, 1024));
}

/** @throws CitadelError InvalidArgument, naming the first fault */
export function readRecordsHead(line: string): RecordsHead {
  const { sample, forgotten } = parse(headSchema, line);
  return { sample, forgotten };
}

/** @throws CitadelError InvalidArgument, naming the first fault */
export function readRecord(line: string): DecisionRecord {
  const read = parse(recordSchema, line);
  const { serviceAccount, caller, method, path, host, serverName, refusedBy, policy, rule } = read;
  if ((read.decision === 'denied') !== (refusedBy !== undefined))
    throw new CitadelError('InvalidArgument', 'refusedBy: belongs to what was denied, and to nothing else');
  for (const name of texts)
    if (read.lacks.includes(name) && read[name] !== undefined)
      throw new CitadelError('InvalidArgument', `lacks: says that there is no ${name}, and there is one`);
  return { ...read, serviceAccount, caller, method, path, host, serverName, refusedBy, policy, rule };
}

function parse<T extends z.ZodType>(schema: T, line: string): z.output<T> {
  const parsed = schema.safeParse(parseJson(line));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new CitadelError(
    'InvalidArgument',
    `${where === '' ? '' : `${where}: `}${issue?.message ?? 'is no record'}`,
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new CitadelError('InvalidArgument', 'is no JSON');
  }
}

function isSpiffeId(value: string): boolean {
  try {
    SpiffeId.parse(value);
    return true;
  } catch {
    return false;
  }
}
