import { context, DerReader, oid, readTime, tag, walk } from '../der/index.ts';
import { crlOids } from './oids.ts';

/** What a CRL says. Its signature has not been verified. */
export interface ParsedCrl {
  readonly der: Uint8Array;
  /** Name, DER. */
  readonly issuerDer: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly number: number;
  /** Lower-case hexadecimal, whole octets, without leading zero octets. */
  readonly serials: ReadonlySet<string>;
}

const mostNumberOctets = 6;
const numberOid = oid(crlOids.cRLNumber).subarray(2);

/**
 * Reads a CRL of version 2 strictly (RFC 5280, 5.1). Loads no X.509 library.
 * @throws CitadelError InvalidArgument
 */
export function readCrl(der: Uint8Array): ParsedCrl {
  const outer = DerReader.over(der, 'CRL');
  const crl = outer.sequence('the CRL');
  outer.finish('the CRL');
  const tbs = crl.sequence('the list');
  crl.element(tag.sequence, 'the signature algorithm');
  crl.octetAlignedBits('the signature');
  crl.finish('the CRL');

  if (tbs.smallInteger('the version') !== 1) throw tbs.malformed('it is not of version 2');
  tbs.element(tag.sequence, 'the signature algorithm');
  const issuerDer = tbs.element(tag.sequence, 'the issuer');
  const thisUpdate = readTime(tbs, 'thisUpdate');
  const nextUpdate = readTime(tbs, 'nextUpdate');
  const serials = new Set<string>();
  if (tbs.peek() === tag.sequence) {
    const entries = tbs.sequence('the entries');
    while (!entries.atEnd) {
      const entry = entries.sequence('an entry');
      serials.add(entry.positiveInteger('a serial number').toString('hex'));
      readTime(entry, 'a revocation date');
      walk(entry, 'an entry');
    }
  }
  const explicit = tbs.enter(context(0, 'constructed'), 'the extensions');
  tbs.finish('the list');
  return { der, issuerDer, thisUpdate, nextUpdate, number: readNumber(explicit), serials };
}

function readNumber(explicit: DerReader): number {
  const extensions = explicit.sequence('the extensions');
  explicit.finish('the extensions');
  let octets: Buffer | undefined;
  while (!extensions.atEnd) {
    const extension = extensions.sequence('an extension');
    if (extension.oid("an extension's type").equals(numberOid))
      octets = extension.enterOctets("an extension's value").positiveInteger('the CRL number');
    else walk(extension, 'an extension');
  }
  if (octets === undefined) throw extensions.malformed('it has no number');
  // Ours are milliseconds since 1970; what is larger could not be told from its neighbours.
  if (octets.length > mostNumberOctets) throw extensions.malformed('its number is out of range');
  return octets.readUIntBE(0, octets.length);
}
