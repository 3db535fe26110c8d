import { CitadelError } from '../../../kernel/index.ts';
import { type KeyAlgorithm, keyAlgorithms } from '../../../pki/index.ts';

/** How the secret that seals a file comes about. */
export type KeyDerivation =
  | {
      readonly kind: 'scrypt';
      /** N, a power of two. */
      readonly cost: number;
      /** r */
      readonly blockSize: number;
      /** p */
      readonly parallelization: number;
      readonly salt: Buffer;
    }
  | { readonly kind: 'key-file' };

export interface EnvelopeHeader {
  readonly id: string;
  readonly algorithm: KeyAlgorithm;
  readonly derivation: KeyDerivation;
  /** Derived from the secret: says whether a secret is the right one. */
  readonly check: Buffer;
  readonly nonce: Buffer;
}

export interface SealedKeyFile extends EnvelopeHeader {
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/** The largest key file: an RSA-4096 key takes less than 5 KiB. */
export const largestKeyFile = 16 * 1024;
const version = 1;

/** The bounds keep a planted file from costing more than 256 MiB or some seconds, and from weakening the derivation. */
const costs = [2 ** 15, 2 ** 16, 2 ** 17, 2 ** 18];
const blockSizes = [8];
const parallelizations = [1, 2, 3, 4];

/**
 * Reads a key file.
 * @param id the id that its name says
 * @throws CitadelError DataLoss: not a key file, cut off, or of another id; FailedPrecondition: of a newer version
 */
export function decodeKeyFile(text: string, id: string): SealedKeyFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(id, 'it is not JSON');
  }
  const fields = new Fields(value, id);
  const written = fields.take('citadelKey');
  if (typeof written === 'number' && written > version) {
    throw new CitadelError('FailedPrecondition', 'a key file was written by a newer version of Citadel', {
      details: `key ${id}: format ${written}; this version reads format ${version}`,
    });
  }
  if (written !== version) throw damaged(id, 'citadelKey: not a format that is known');
  const file = {
    id: fields.text('id'),
    algorithm: fields.oneOf('algorithm', keyAlgorithms),
    derivation: readDerivation(new Fields(fields.take('derivation'), id)),
    check: fields.bytes('check', 16),
    nonce: fields.bytes('nonce', 12),
    ciphertext: fields.bytes('ciphertext'),
    tag: fields.bytes('tag', 16),
  };
  fields.finish();
  if (file.id !== id) {
    throw new CitadelError('DataLoss', 'a key file was renamed: it holds the key of another id', {
      details: `the file of key ${id} holds the key ${JSON.stringify(file.id.slice(0, 64))}; give it its own name again`,
    });
  }
  return file;
}

function readDerivation(fields: Fields): KeyDerivation {
  const kind = fields.oneOf('kind', ['scrypt', 'key-file'] as const);
  const read: KeyDerivation =
    kind === 'key-file'
      ? { kind }
      : {
          kind,
          cost: fields.oneOf('cost', costs),
          blockSize: fields.oneOf('blockSize', blockSizes),
          parallelization: fields.oneOf('parallelization', parallelizations),
          salt: fields.bytes('salt', 16),
        };
  fields.finish();
  return read;
}

/** Reads an object strictly: each member of its kind, none missing, none besides. */
class Fields {
  readonly #left: Map<string, unknown>;
  readonly #id: string;

  constructor(value: unknown, id: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw damaged(id, 'not an object');
    this.#left = new Map(Object.entries(value));
    this.#id = id;
  }

  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  text(name: string): string {
    const value = this.take(name);
    if (typeof value !== 'string') throw damaged(this.#id, `${name}: not a text`);
    return value;
  }

  oneOf<const T>(name: string, values: readonly T[]): T {
    const value = this.take(name);
    const known = values.find((each) => each === value);
    if (known === undefined) throw damaged(this.#id, `${name}: not a value that is allowed`);
    return known;
  }

  /** Canonical base64 of `length` octets. */
  bytes(name: string, length?: number): Buffer {
    const text = this.text(name);
    const bytes = Buffer.from(text, 'base64');
    if (bytes.toString('base64') !== text || bytes.length !== (length ?? bytes.length)) {
      throw damaged(this.#id, `${name}: not base64 of the right length`);
    }
    return bytes;
  }

  finish(): void {
    const [unknown] = this.#left.keys();
    if (unknown !== undefined) throw damaged(this.#id, 'it has a member that this version does not know');
  }
}

export function encodeKeyFile(file: SealedKeyFile): string {
  const text = (bytes: Buffer) => bytes.toString('base64');
  const { id, algorithm, derivation: by, check, nonce, ciphertext, tag } = file;
  const encoded = {
    citadelKey: version,
    id,
    algorithm,
    derivation: by.kind === 'scrypt' ? { ...by, salt: text(by.salt) } : by,
    check: text(check),
    nonce: text(nonce),
    ciphertext: text(ciphertext),
    tag: text(tag),
  };
  return `${JSON.stringify(encoded, undefined, 2)}\n`;
}

function damaged(id: string, details: string): CitadelError {
  return new CitadelError('DataLoss', 'a key file is damaged; restore it from a backup', {
    details: `key ${id}: ${details}`,
  });
}
