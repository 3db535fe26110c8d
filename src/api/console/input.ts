import { CitadelError } from '../../kernel/index.ts';
import type { ConsoleApply, ConsoleChange, ConsolePolicyKey, ConsoleQuestion } from '../../wire/console.ts';

type Fields = Readonly<Record<string, unknown>>;

const mostRemoved = 1_000;
const longestName = 253;

/** Reads a request's body, strictly. @throws CitadelError InvalidArgument */
export function readText(body: unknown): string {
  return textOf(fieldsOf(body, ['text']), 'text');
}

export function readChange(body: unknown): ConsoleChange {
  return changeOf(fieldsOf(body, ['text', 'remove']));
}

export function readApply(body: unknown): ConsoleApply {
  const fields = fieldsOf(body, ['text', 'remove', 'expectedRevision', 'reason']);
  const { expectedRevision } = fields;
  if (typeof expectedRevision !== 'number' || !Number.isSafeInteger(expectedRevision) || expectedRevision < 0)
    throw wrong('expectedRevision must be a revision');
  return { ...changeOf(fields), expectedRevision, reason: textOf(fields, 'reason') };
}

const questionFields = ['text', 'from', 'to', 'method', 'path', 'host', 'headers', 'token', 'ip'] as const;

export function readQuestion(body: unknown): ConsoleQuestion {
  const fields = fieldsOf(body, questionFields);
  const text = (name: (typeof questionFields)[number]) => textOf(fields, name);
  return {
    text: text('text'),
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

export function readWho(body: unknown): { readonly text: string; readonly to: string } {
  const fields = fieldsOf(body, ['text', 'to']);
  return { text: textOf(fields, 'text'), to: textOf(fields, 'to') };
}

export function readNothing(body: unknown): void {
  fieldsOf(body, []);
}

function changeOf(fields: Fields): ConsoleChange {
  const { remove } = fields;
  if (!Array.isArray(remove) || remove.length > mostRemoved) throw wrong('remove must be a list of policies');
  return { text: textOf(fields, 'text'), remove: remove.map(readKey) };
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
