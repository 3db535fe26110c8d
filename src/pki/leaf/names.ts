import { CitadelError } from '../../kernel/index.ts';
import { ipAddressOctets } from '../certificate/index.ts';
import { context, encode } from '../der/index.ts';

const dnsName = context(2, 'primitive');
const uri = context(6, 'primitive');
const ipAddress = context(7, 'primitive');

/** The longest SPIFFE ID (SPIFFE-ID, 2.3). */
const longestUri = 2048;
const spiffeUri = /^spiffe:\/\/[!-~]+$/;
const host =
  /^(?:\*\.)?(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** A uniformResourceIdentifier. @throws CitadelError InvalidArgument when it is no SPIFFE ID at all */
export function encodeUri(text: string): Buffer {
  if (text.length > longestUri || !spiffeUri.test(text))
    throw unfit('a SPIFFE ID must be a spiffe:// URI in ASCII');
  return encode(uri, Buffer.from(text, 'latin1'));
}

/** @throws CitadelError InvalidArgument when it is no DNS name in lower case */
export function encodeDnsName(text: string): Buffer {
  if (!host.test(text)) throw unfit(`not a DNS name in lower case: ${JSON.stringify(text)}`);
  return encode(dnsName, Buffer.from(text, 'latin1'));
}

/** @throws CitadelError InvalidArgument when it is neither an IPv4 nor an IPv6 address */
export function encodeIpAddress(text: string): Buffer {
  const octets = ipAddressOctets(text);
  if (!octets) throw unfit(`not an IP address: ${JSON.stringify(text)}`);
  return encode(ipAddress, octets);
}

function unfit(message: string): CitadelError {
  return new CitadelError('InvalidArgument', message);
}
