import { DerReader, readSmallInteger, tags } from './der.ts';
import { SpiffeError } from './errors.ts';

/** Context tags of the GeneralName forms (RFC 5280 4.2.1.6). */
export const nameForms = {
  otherName: 0xa0,
  email: 0x81,
  dns: 0x82,
  x400: 0xa3,
  directory: 0xa4,
  ediParty: 0xa5,
  uri: 0x86,
  ip: 0x87,
  registeredId: 0x88,
} as const;

const forms: ReadonlySet<number> = new Set(Object.values(nameForms));

export interface GeneralName {
  readonly form: number;
  readonly value: Buffer;
}

/** Subtrees by which a CA's names are bound (RFC 5280 4.2.1.10). */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** SIZE (1..MAX) general names. */
export function readGeneralNames(list: DerReader): readonly GeneralName[] {
  const names: GeneralName[] = [];
  while (!list.done) names.push(readGeneralName(list));
  if (names.length === 0) throw malformed('an empty list of names');
  return names;
}

/** The text of a name that is an IA5String; a byte outside ASCII is refused, so that no two decoders differ on it. */
export function nameText(name: GeneralName): string {
  if (name.value.some((byte) => byte > 0x7f)) throw malformed('a name with a character outside ASCII');
  return name.value.toString('latin1');
}

export function readNameConstraints(fields: DerReader): NameConstraints {
  const permitted = readSubtrees(fields, 0xa0);
  const excluded = readSubtrees(fields, 0xa1);
  fields.end();
  if (permitted.length + excluded.length === 0) throw malformed('empty name constraints');
  return { permitted, excluded };
}

function readSubtrees(fields: DerReader, tag: number): readonly GeneralName[] {
  const element = fields.readOptional(tag);
  if (element === undefined) return [];
  const list = new DerReader(element.value);
  const bases: GeneralName[] = [];
  while (!list.done) {
    const subtree = list.enter(tags.sequence);
    bases.push(readGeneralName(subtree));
    // RFC 5280 gives minimum and maximum no use: the one must be 0, the other absent.
    const minimum = subtree.readOptional(0x80);
    if (minimum !== undefined && readSmallInteger(minimum) !== 0) throw malformed('a subtree with a minimum');
    subtree.end();
  }
  if (bases.length === 0) throw malformed('an empty list of subtrees');
  return bases;
}

function readGeneralName(list: DerReader): GeneralName {
  const { tag, value } = list.read();
  if (!forms.has(tag)) throw malformed('a name of unknown form');
  return { form: tag, value };
}

function malformed(what: string): SpiffeError {
  return new SpiffeError('certificate-extension', `the certificate has ${what}`);
}
