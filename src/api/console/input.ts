import { CitadelError } from '../../kernel/index.ts';
import type {
  ConsoleApply,
  ConsoleChange,
  ConsoleCompareQuestion,
  ConsoleHistoryQuestion,
  ConsoleKeptQuestion,
  ConsolePolicyKey,
  ConsolePromotion,
  ConsoleQuestion,
  ConsoleReplayQuestion,
  ConsoleShadowOrder,
  ConsoleWhatQuestion,
  ConsoleWhoQuestion,
} from '../../wire/console.ts';

type Fields = Readonly<Record<string, unknown>>;

const mostKeys = 1_000;
const longestName = 253;

/** Reads a request's body, strictly. @throws CitadelError InvalidArgument */
export function readText(body: unknown): string {
  return textOf(fieldsOf(body, ['text']), 'text');
}

export function readChange(body: unknown): ConsoleChange {
  return changeOf(fieldsOf(body, changeFields));
}

export function readApply(body: unknown): ConsoleApply {
  const fields = fieldsOf(body, [...changeFields, 'expectedRevision', 'reason']);
  const expectedRevision = revisionOf(fields, 'expectedRevision');
  return { ...changeOf(fields), expectedRevision, reason: textOf(fields, 'reason') };
}

const spans = ['1h', '24h', '7d'] as const;

export function readReplay(body: unknown): ConsoleReplayQuestion {
  const fields = fieldsOf(body, [...changeFields, 'since']);
  const since = spans.find((each) => each === fields['since']);
  if (since === undefined) throw wrong(`since must be one of ${spans.join(', ')}`);
  return { ...changeOf(fields), since };
}

const questionFields = ['from', 'to', 'method', 'path', 'host', 'headers', 'token', 'ip'] as const;

export function readQuestion(body: unknown): ConsoleQuestion {
  const fields = fieldsOf(body, [...changeFields, ...questionFields]);
  const text = (name: (typeof questionFields)[number]) => textOf(fields, name);
  return {
    ...changeOf(fields),
    from: text('from'),
    to: text('to'),
    method: text('method'),
    path: text('path'),
    host: text('host'),
    headers: text('headers'),
    token: text('token'),
    ip: text('ip'),
  };
}

export function readWho(body: unknown): ConsoleWhoQuestion {
  const fields = fieldsOf(body, [...changeFields, 'to']);
  return { ...changeOf(fields), to: textOf(fields, 'to') };
}

export function readWhat(body: unknown): ConsoleWhatQuestion {
  const fields = fieldsOf(body, [...changeFields, 'from']);
  return { ...changeOf(fields), from: textOf(fields, 'from') };
}

export function readHistory(body: unknown): ConsoleHistoryQuestion {
  const fields = fieldsOf(body, ['policy', 'pageToken']);
  return { ...policyOf(fields), pageToken: textOf(fields, 'pageToken') };
}

export function readKept(body: unknown): ConsoleKeptQuestion {
  const fields = fieldsOf(body, ['policy', 'revision']);
  return { ...policyOf(fields), revision: revisionOf(fields, 'revision') };
}

export function readCompare(body: unknown): ConsoleCompareQuestion {
  const fields = fieldsOf(body, ['policy', 'from', 'to']);
  return { ...policyOf(fields), from: revisionOf(fields, 'from'), to: revisionOf(fields, 'to') };
}

export function readShadowOrder(body: unknown): ConsoleShadowOrder {
  const fields = fieldsOf(body, ['id', 'reason']);
  return { id: textOf(fields, 'id'), reason: textOf(fields, 'reason') };
}

export function readPromotion(body: unknown): ConsolePromotion {
  const { force, ...order } = fieldsOf(body, ['id', 'reason', 'force']);
  if (typeof force !== 'boolean') throw wrong('force must be true or false');
  return { ...readShadowOrder(order), force };
}

export function readNothing(body: unknown): void {
  fieldsOf(body, []);
}

const changeFields = ['text', 'remove', 'restore'] as const;

function changeOf(fields: Fields): ConsoleChange {
  const { restore } = fields;
  const change = { text: textOf(fields, 'text'), remove: keysOf(fields, 'remove') };
  if (restore === undefined) return change;
  const wanted = fieldsOf(restore, ['revision', 'keys']);
  return { ...change, restore: { revision: revisionOf(wanted, 'revision'), keys: keysOf(wanted, 'keys') } };
}

function keysOf(fields: Fields, name: string): readonly ConsolePolicyKey[] {
  const value = fields[name];
  if (Array.isArray(value) && value.length <= mostKeys) return value.map(readKey);
  throw wrong(`${name} must be a list of policies`);
}

function policyOf({ policy }: Fields): { readonly policy?: ConsolePolicyKey } {
  return policy === undefined ? {} : { policy: readKey(policy) };
}

function revisionOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(`${name} must be a revision`);
}

function readKey(value: unknown): ConsolePolicyKey {
  const fields = fieldsOf(value, ['kind', 'namespace', 'name']);
  const name = (field: string) => {
    const text = textOf(fields, field);
    if (text.length <= longestName) return text;
    throw wrong(`${field} is too long`);
  };
  return { kind: name('kind'), namespace: name('namespace'), name: name('name') };
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw wrong(`${name} must be a text`);
}

function fieldsOf(value: unknown, known: readonly string[]): Fields {
  if (!isFields(value)) throw wrong('an object is expected');
  const strange = Object.keys(value).find((name) => !known.includes(name));
  if (strange !== undefined) throw wrong('a field is not known here');
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(what: string): CitadelError {
  return new CitadelError('InvalidArgument', what);
}
