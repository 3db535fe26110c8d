import { isIP } from 'node:net';
import { SpiffeId } from '@citadel/spiffe';
import { CitadelError } from '../../../kernel/index.ts';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const longestAddress = 64;

/**
 * As the registry writes it: IPv4 within IPv6 is IPv4.
 * @throws CitadelError InvalidArgument when it is no address
 */
export function plainAddress(address: string): string {
  if (address.length > longestAddress || isIP(address) === 0)
    throw new CitadelError('InvalidArgument', 'an access log entry has an address that is none');
  return mapped.exec(address)?.[1] ?? address;
}

/** @throws CitadelError InvalidArgument */
export function spiffeIdOf(text: string): string {
  try {
    return SpiffeId.parse(text).toString();
  } catch (cause) {
    throw new CitadelError('InvalidArgument', 'an access log entry has a SPIFFE ID that is none', { cause });
  }
}

/** Line ends, terminal sequences, and what turns the order of letters round. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text that a caller may have chosen, or a proxy that lies: what cannot be shown is replaced. It is not refused, or any
 * caller could make entries go missing.
 * @returns undefined for an empty one
 */
export function printable(value: string | undefined, most: number): string | undefined {
  if (value === undefined || value === '') return undefined;
  return value.slice(0, most).replaceAll(unprintable, '\uFFFD');
}
