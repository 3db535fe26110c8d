import type { PKCS11, Template } from 'pkcs11js';
import { keyTypes, type Mechanism } from './algorithms.ts';
import { chooseToken } from './choose-token.ts';
import { returnValueOf, TokenError } from './failure.ts';
import type { Generation, Importing, Opening, PublicPart, Signing, TokenKey } from './protocol.ts';
import { readWrite, type Session, Sessions } from './sessions.ts';
import {
  attribute,
  names,
  objectClass,
  ownClass,
  partsOf,
  privateTemplate,
  publicTemplate,
} from './templates.ts';

// Numbers of PKCS #11 2.40.
const user = 1;
const userFunctions = 3;
const osLocking = 0x02;
const returned = {
  keyHandleInvalid: 0x60,
  objectHandleInvalid: 0x82,
  tokenNotPresent: 0xe0,
  userNotLoggedIn: 0x101,
  alreadyLoggedIn: 0x100,
} as const;
const publicExponent = Buffer.from('010001', 'hex');
/** More objects than a token of ours is expected to hold; a search ends there. */
const mostObjects = 10_000;
const longestSignature = 1024;

/** One token, in the process that has loaded its module. Objects are ours by CKA_LABEL and CKA_ID, which are the same. */
export class Token {
  readonly #library: PKCS11;
  readonly #slot: Buffer;
  readonly #name: string;
  readonly #serial: string;
  readonly #sessions: Sessions;
  /** Holds the login, which ends with the last session; nothing else is done in it. */
  readonly #anchor: Session;
  readonly #privateKeys = new Map<string, Buffer>();

  constructor(library: PKCS11, { token, pin, sessions }: Omit<Opening, 'module'>) {
    this.#library = library;
    library.C_Initialize({ flags: osLocking });
    const tokens = library.C_GetSlotList(true).map((slot) => {
      const info = library.C_GetTokenInfo(slot);
      return {
        slot,
        flags: info.flags,
        label: trimmed(info.label),
        serial: trimmed(info.serialNumber),
      };
    });
    const found = chooseToken(tokens, token);
    this.#slot = found.slot;
    this.#name = found.label;
    this.#serial = found.serial;
    this.#anchor = library.C_OpenSession(found.slot, readWrite);
    try {
      library.C_Login(this.#anchor, user, pin);
    } catch (error) {
      if (returnValueOf(error) !== returned.alreadyLoggedIn) throw error;
    }
    this.#sessions = new Sessions(library, found.slot, sessions);
  }

  check(): void {
    this.#requirePresent();
    if (this.#library.C_GetSessionInfo(this.#anchor).state !== userFunctions)
      throw failed(returned.userNotLoggedIn, 'CKR_USER_NOT_LOGGED_IN', 'C_GetSessionInfo');
  }

  list(prefix: string): Promise<readonly TokenKey[]> {
    return this.#sessions.use((session) => {
      const all = this.#search(session, [...ownClass(objectClass.privateKey)]);
      const labels = all
        .map((object) => this.#labelOf(session, object))
        .filter((label) => label !== undefined);
      this.#requirePresent();
      return [...new Set(labels)]
        .filter((label) => label.startsWith(prefix))
        .map((label) => this.#read(session, label))
        .filter((key) => key !== undefined);
    });
  }

  get(label: string): Promise<TokenKey | undefined> {
    return this.#sessions.use((session) => this.#read(session, label));
  }

  generate({ label, generation, signature, bits, curve }: Generation): Promise<undefined> {
    return this.#sessions.use(async (session) => {
      this.#requireMechanism(generation, bits);
      this.#requireMechanism(signature, bits);
      this.#requireFree(session, label);
      const shape: Template = curve
        ? [{ type: attribute.ecParams, value: Buffer.from(curve) }]
        : [
            { type: attribute.modulusBits, value: bits },
            { type: attribute.publicExponent, value: publicExponent },
          ];
      const made = await this.#library.C_GenerateKeyPairAsync(
        session,
        // The library's types have a parameter that may be left out; its code takes null for none.
        { mechanism: generation.type },
        [...publicTemplate(label), ...shape],
        privateTemplate(label),
      );
      if (this.#privateObjects(session, label).length > 1) {
        // Another process made one of this name at the same time: neither is anybody's yet.
        this.#library.C_DestroyObject(session, made.privateKey);
        this.#library.C_DestroyObject(session, made.publicKey);
        throw new TokenError({ kind: 'taken' });
      }
      return undefined;
    });
  }

  import({ label, signature, bits, key }: Importing): Promise<undefined> {
    return this.#sessions.use((session) => {
      this.#requireMechanism(signature, bits);
      this.#requireFree(session, label);
      const { shared, secret } = partsOf(key);
      const type = { type: attribute.keyType, value: key.keyType };
      // The public part first: a key is there when its private part is, and what was cut off here is made anew.
      this.#library.C_CreateObject(session, [
        { type: attribute.class, value: objectClass.publicKey },
        type,
        ...publicTemplate(label),
        ...shared,
      ]);
      this.#library.C_CreateObject(session, [
        { type: attribute.class, value: objectClass.privateKey },
        type,
        ...privateTemplate(label),
        ...secret,
      ]);
      return undefined;
    });
  }

  sign({ label, mechanism, data }: Signing): Promise<Uint8Array> {
    return this.#sessions.use(async (session) => {
      this.#beginSigning(session, label, mechanism);
      // Of an empty array the library would hand on no address at all, which tokens refuse.
      const input = data.length === 0 ? Buffer.alloc(1).subarray(0, 0) : Buffer.from(data);
      return await this.#library.C_SignAsync(session, input, Buffer.alloc(longestSignature));
    });
  }

  /** The private part first: what is left by a crash in between is no key any more, and is removed the next time. */
  destroy(label: string): Promise<number> {
    return this.#sessions.use((session) => {
      const own = [...this.#privateObjects(session, label), ...this.#publicObjects(session, label)];
      for (const object of own) this.#library.C_DestroyObject(session, object);
      this.#privateKeys.delete(label);
      this.#requirePresent();
      return own.length;
    });
  }

  close(): void {
    this.#library.C_Finalize();
  }

  #beginSigning(session: Session, label: string, mechanism: number): void {
    const known = this.#privateKeys.get(label);
    if (known) {
      try {
        this.#library.C_SignInit(session, { mechanism }, known);
        return;
      } catch (error) {
        const code = returnValueOf(error);
        if (code !== returned.keyHandleInvalid && code !== returned.objectHandleInvalid) throw error;
        this.#privateKeys.delete(label);
      }
    }
    const [object, ...more] = this.#privateObjects(session, label);
    if (more.length > 0) throw new TokenError({ kind: 'severalKeys', label });
    if (!object) throw new TokenError({ kind: 'noKey' });
    this.#library.C_SignInit(session, { mechanism }, object);
    this.#privateKeys.set(label, object);
  }

  /** Leftovers of a creation that was cut off go, so that the name is free. */
  #requireFree(session: Session, label: string): void {
    if (this.#privateObjects(session, label).length > 0) throw new TokenError({ kind: 'taken' });
    // What is private is not shown to who is not logged in.
    this.check();
    for (const object of this.#publicObjects(session, label)) this.#library.C_DestroyObject(session, object);
  }

  #requireMechanism({ type, name }: Mechanism, bits: number): void {
    if (this.#library.C_GetMechanismList(this.#slot).includes(type)) {
      const { minKeySize, maxKeySize } = this.#library.C_GetMechanismInfo(this.#slot, type);
      // Of a mechanism without sizes both are 0.
      if (maxKeySize === 0 || (bits >= minKeySize && bits <= maxKeySize)) return;
    }
    throw new TokenError({ kind: 'noMechanism', mechanism: name, bits, token: this.#name });
  }

  #read(session: Session, label: string): TokenKey | undefined {
    const [object, ...more] = this.#privateObjects(session, label);
    if (!object) return undefined;
    if (more.length > 0) throw new TokenError({ kind: 'severalKeys', label });
    const [keyType, sensitive, extractable, guarded] = this.#library
      .C_GetAttributeValue(session, object, [
        { type: attribute.keyType },
        { type: attribute.sensitive },
        { type: attribute.extractable },
        { type: attribute.private },
      ])
      .map(({ value }) => value);
    // An object that is private takes a login to be made (PKCS #11 2.40, 4.4): of another one nobody knows who made it.
    if (guarded?.[0] !== 1) throw new TokenError({ kind: 'unguardedKey', label });
    const type = keyType?.readUInt32LE() ?? -1;
    return {
      label,
      keyType: type,
      publicPart: this.#publicPart(session, label, type),
      loose: sensitive?.[0] !== 1 || extractable?.[0] !== 0,
    };
  }

  #publicPart(session: Session, label: string, keyType: number): PublicPart | undefined {
    const [object, ...more] = this.#publicObjects(session, label);
    if (!object) return undefined;
    if (more.length > 0) throw new TokenError({ kind: 'severalKeys', label });
    const get = (...types: number[]) =>
      this.#library
        .C_GetAttributeValue(
          session,
          object,
          types.map((type) => ({ type })),
        )
        .map(({ value }) => new Uint8Array(value));
    const none = new Uint8Array();
    if (keyType === keyTypes.rsa) {
      const [modulus = none, exponent = none] = get(attribute.modulus, attribute.publicExponent);
      return { kind: 'rsa', modulus, exponent };
    }
    const [curve = none, point = none] = get(attribute.ecParams, attribute.ecPoint);
    return { kind: 'point', curve, point };
  }

  #privateObjects(session: Session, label: string): Buffer[] {
    return this.#own(session, objectClass.privateKey, label);
  }

  #publicObjects(session: Session, label: string): Buffer[] {
    return this.#own(session, objectClass.publicKey, label);
  }

  #own(session: Session, kind: number, label: string): Buffer[] {
    const found = this.#search(session, [...ownClass(kind), ...names(label)]);
    // A token that was taken away shows nothing (SoftHSM does): that is not to be taken for "there is none".
    if (found.length === 0) this.#requirePresent();
    return found;
  }

  #labelOf(session: Session, object: Buffer): string | undefined {
    const [label, id] = this.#library.C_GetAttributeValue(session, object, [
      { type: attribute.label },
      { type: attribute.id },
    ]);
    return label && id && label.value.equals(id.value) ? label.value.toString('utf8') : undefined;
  }

  #search(session: Session, template: Template): Buffer[] {
    const found: Buffer[] = [];
    this.#library.C_FindObjectsInit(session, template);
    for (let last = -1; last !== found.length && found.length < mostObjects; ) {
      last = found.length;
      found.push(...this.#library.C_FindObjects(session, 100));
    }
    this.#library.C_FindObjectsFinal(session);
    return found;
  }

  #requirePresent(): void {
    const { serialNumber } = this.#library.C_GetTokenInfo(this.#slot);
    if (trimmed(serialNumber) !== this.#serial)
      throw failed(returned.tokenNotPresent, 'CKR_TOKEN_NOT_PRESENT', 'C_GetTokenInfo');
  }
}

function failed(code: number, name: string, call: string): TokenError {
  return new TokenError({ kind: 'returned', code, name, call });
}

/** Texts of a fixed length are filled up with blanks; by some tokens with zeros. */
function trimmed(text: string): string {
  return text.replaceAll('\0', '').trimEnd();
}
