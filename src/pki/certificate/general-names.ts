import { context, type DerReader, walkOne } from '../der/index.ts';
import { formatIpAddress } from './ip-address.ts';

const email = context(1, 'primitive');
const dnsName = context(2, 'primitive');
const uri = context(6, 'primitive');
const ipAddress = context(7, 'primitive');

/** A subjectAltName (RFC 5280, 4.2.1.6), the kinds that matter here by kind. */
export interface AlternativeNames {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  /** How many names of other kinds: e-mail, directory names, other. */
  readonly others: number;
}

export const noNames: AlternativeNames = { uris: [], dns: [], ips: [], others: 0 };

export function readAlternativeNames(reader: DerReader, what: string): AlternativeNames {
  const names = reader.sequence(what);
  reader.finish(what);
  if (names.atEnd) throw reader.malformed(`${what} is empty`);
  const uris: string[] = [];
  const dns: string[] = [];
  const ips: string[] = [];
  let others = 0;
  while (!names.atEnd) {
    switch (names.peek()) {
      case uri:
        uris.push(visible(names, uri, what));
        break;
      case dnsName:
        dns.push(visible(names, dnsName, what));
        break;
      case ipAddress: {
        const text = formatIpAddress(names.content(ipAddress, what));
        if (text === undefined) throw reader.malformed(`${what} has an IP address of the wrong length`);
        ips.push(text);
        break;
      }
      case email:
        visible(names, email, what);
        others++;
        break;
      default:
        walkOne(names, what);
        others++;
    }
  }
  return { uris, dns, ips, others };
}

/** An IA5String without control characters: a NUL or a line feed in a name only ever serves to deceive. */
function visible(reader: DerReader, type: number, what: string): string {
  const content = reader.content(type, what);
  for (const octet of content) {
    if (octet < 0x20 || octet > 0x7e)
      throw reader.malformed(`${what} has a character that is not printable ASCII`);
  }
  return content.toString('latin1');
}
