import { type DerReader, oid, oidText, readString, sequence, set, tag, utf8String } from '../der/index.ts';
import { attributeName } from './oids.ts';

/** A distinguished name as RFC 4514 writes it, last RDN first: `CN=Citadel root,O=example`. */
export function readName(reader: DerReader, what: string): string {
  const name = reader.sequence(what);
  let text = '';
  while (!name.atEnd) {
    const rdn = name.enter(tag.set, what);
    if (rdn.atEnd) throw rdn.malformed(`${what} has an empty part`);
    let part = '';
    while (!rdn.atEnd) {
      const attribute = rdn.sequence(what);
      const type = attribute.oid(what);
      const value = readString(attribute, what);
      attribute.finish(what);
      part += `${part === '' ? '' : '+'}${attributeName(type) ?? oidText(type)}=${escape(value)}`;
    }
    text = text === '' ? part : `${part},${text}`;
  }
  return text;
}

/** A Name of one common name, DER. */
export function encodeCommonName(commonName: string): Buffer {
  return commonName === '' ? sequence() : sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName))));
}

const special = /[",+;<>\\\0]|^[ #]| $/;

/** RFC 4514, 2.4. */
function escape(value: string): string {
  if (!special.test(value)) return value;
  const quoted = value.replace(/[",+;<>\\]/g, '\\$&').replaceAll('\0', '\\00');
  return quoted.replace(/^[ #]/, '\\$&').replace(/(?<!\\) $/, '\\ ');
}
