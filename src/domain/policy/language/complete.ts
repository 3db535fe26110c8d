import { writingAt, type YamlCursor, type YamlPlace } from '../../../yaml/index.ts';
import { fieldHelp, shapeAt } from '../schema/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { documentOf } from './document.ts';
import { namesAt } from './names.ts';

/** Something that may stand where its author writes. */
export interface Completion {
  readonly kind: 'field' | 'value' | 'name';
  readonly label: string;
  /** What is put in the place of what is written from `start` to `end`. */
  readonly text: string;
  readonly start: YamlPlace;
  readonly end: YamlPlace;
  /** In Markdown. */
  readonly help?: string;
}

/** Of a large mesh; who writes on sees the others. */
const most = 500;

/** Fields that may stand at a place, values that are known, and in a world the names of what is there. */
export function completionsAt(
  text: string,
  place: YamlPlace,
  world: PolicyWorld | undefined,
): readonly Completion[] {
  const cursor = writingAt(text, place);
  // What spans lines is no name of anything.
  if (!cursor || cursor.start.line !== place.line) return [];
  const { kind } = documentOf(cursor.document);
  const wanted = cursor.before.toLowerCase();
  const found = [...fieldsAt(kind, cursor), ...valuesAt(kind, cursor, world)];
  return found
    .filter(({ label }) => label.toLowerCase().includes(wanted))
    .slice(0, most)
    .map((each) => ({ ...each, start: cursor.start, end: cursor.end }));
}

type Found = Omit<Completion, 'start' | 'end'>;

const heads = ['apiVersion', 'kind', 'metadata', 'spec'];

function fieldsAt(kind: string | undefined, cursor: YamlCursor): readonly Found[] {
  const { path, role, beside, quoted } = cursor;
  const shape = kind === undefined ? undefined : shapeAt(kind, path);
  // A value that is a map begins with a key too.
  const isOpen = role === 'key' || (!quoted && shape?.isList !== true && cursor.text === cursor.before);
  if (!isOpen) return [];
  const keys = kind === undefined ? (path.length === 0 ? heads : []) : (shape?.keys ?? []);
  const known = new Set(role === 'key' ? beside : []);
  return keys
    .filter((key) => !known.has(key))
    .map((key) => {
      const help = kind === undefined ? undefined : fieldHelp(kind, [...path, key]);
      return { kind: 'field', label: key, text: `${key}: `, ...(help === undefined ? {} : { help }) };
    });
}

function valuesAt(
  kind: string | undefined,
  cursor: YamlCursor,
  world: PolicyWorld | undefined,
): readonly Found[] {
  const keys = namesAt(kind, { ...cursor, role: 'key' }, world)
    .filter((name) => cursor.role === 'value' || !cursor.beside.includes(name))
    .map((name) => named(`${inYaml(name)}: `, name));
  if (cursor.role === 'key') return keys;
  const known = kind === undefined ? [] : (shapeAt(kind, cursor.path)?.values ?? []);
  const taken = new Set(typeof cursor.path.at(-1) === 'number' ? cursor.beside : []);
  const names = namesAt(kind, cursor, world).filter((name) => !taken.has(name));
  return [
    ...keys,
    ...known.map((value): Found => ({ kind: 'value', label: value, text: value })),
    ...names.map((name) => named(cursor.quoted ? name : inYaml(name), name)),
  ];
}

function named(text: string, label: string): Found {
  return { kind: 'name', label, text };
}

/** A number, or what begins with a sign of YAML's own, is text in quotes alone. */
function inYaml(name: string): string {
  return /^[A-Za-z][\w./-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);
}
