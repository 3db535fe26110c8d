import type { Mechanism } from './algorithms.ts';

/** What the process that holds the module is told first. */
export interface Opening {
  /** Path of the shared library. */
  readonly module: string;
  readonly token: TokenChoice;
  readonly pin: string;
  /** How many sessions may be open at once. */
  readonly sessions: number;
}

export type TokenChoice =
  | { readonly kind: 'label'; readonly value: string }
  | { readonly kind: 'serial'; readonly value: string };

/** What a token says of one of our keys. A key without its public part cannot be used, and is told of as such. */
export interface TokenKey {
  readonly label: string;
  readonly keyType: number;
  readonly publicPart: PublicPart | undefined;
  /** CKA_EXTRACTABLE, or not CKA_SENSITIVE. */
  readonly loose: boolean;
}

export type PublicPart =
  | { readonly kind: 'point'; readonly curve: Uint8Array; readonly point: Uint8Array }
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array };

/** The parts of a key made elsewhere, as PKCS #11 names them. */
export type PrivatePart =
  | {
      readonly kind: 'point';
      readonly keyType: number;
      readonly curve: Uint8Array;
      readonly point: Uint8Array;
      readonly value: Uint8Array;
    }
  | {
      readonly kind: 'rsa';
      readonly keyType: number;
      readonly modulus: Uint8Array;
      readonly exponent: Uint8Array;
      readonly privateExponent: Uint8Array;
      readonly primes: readonly [Uint8Array, Uint8Array];
      readonly exponents: readonly [Uint8Array, Uint8Array];
      readonly coefficient: Uint8Array;
    };

export interface Generation {
  readonly label: string;
  readonly generation: Mechanism;
  readonly signature: Mechanism;
  readonly bits: number;
  /** CKA_EC_PARAMS; undefined: RSA. */
  readonly curve: Uint8Array | undefined;
}

export interface Importing {
  readonly label: string;
  readonly signature: Mechanism;
  readonly bits: number;
  readonly key: PrivatePart;
}

export interface Signing {
  readonly label: string;
  readonly mechanism: number;
  readonly data: Uint8Array;
}

/** What may be asked: its input and its answer. */
export interface Operations {
  open: { input: Opening; answer: undefined };
  check: { input: undefined; answer: void };
  /** Keys whose label begins so. */
  list: { input: string; answer: readonly TokenKey[] };
  get: { input: string; answer: TokenKey | undefined };
  generate: { input: Generation; answer: undefined };
  import: { input: Importing; answer: undefined };
  sign: { input: Signing; answer: Uint8Array };
  /** How many objects were destroyed. */
  destroy: { input: string; answer: number };
  close: { input: undefined; answer: void };
}

export type Operation = keyof Operations;

export interface Request<K extends Operation = Operation> {
  readonly id: number;
  readonly operation: K;
  readonly input: Operations[K]['input'];
}

export type Reply =
  | { readonly id: number; readonly kind: 'answer'; readonly answer: unknown }
  | { readonly id: number; readonly kind: 'failure'; readonly failure: TokenFailure };

/** Why the token did not do it: a return value of PKCS #11, or what we made of what it says. */
export type TokenFailure =
  /** `code` is the CK_RV, `name` its name in the standard, `call` the function. */
  | { readonly kind: 'returned'; readonly code: number; readonly name: string; readonly call: string }
  | { readonly kind: 'noModule'; readonly text: string }
  | { readonly kind: 'notBuilt'; readonly text: string }
  | { readonly kind: 'noToken'; readonly present: readonly string[] }
  | { readonly kind: 'severalTokens'; readonly serials: readonly string[] }
  | { readonly kind: 'pinAtRisk'; readonly locked: boolean }
  | {
      readonly kind: 'noMechanism';
      readonly mechanism: string;
      readonly bits: number;
      readonly token: string;
    }
  | { readonly kind: 'noKey' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'severalKeys'; readonly label: string }
  /** Whoever reaches the token may have put it there, for it needed no PIN. */
  | { readonly kind: 'unguardedKey'; readonly label: string }
  | { readonly kind: 'broken'; readonly text: string };
