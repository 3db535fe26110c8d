import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { CitadelError } from '../../kernel/index.ts';
import { type AddressPolicy, faultOfAddress } from './addresses.ts';

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/**
 * As every program of this machine does, /etc/hosts included. A look-up cannot be cut off, and holds one of the few threads
 * that they all share: whoever asks for a name again while nothing has come waits for the same one.
 */
export function systemResolve(): Resolve {
  const underWay = new Map<string, Promise<readonly string[]>>();
  return (name) => {
    const known = underWay.get(name);
    if (known) return known;
    const lookup = systemLookup(name, { all: true })
      .then((found) => found.map(({ address }) => address))
      .finally(() => underWay.delete(name));
    underWay.set(name, lookup);
    return lookup;
  };
}

/**
 * The addresses of a URL's host that may be connected to, looked up once: what was judged is what is connected to,
 * whatever the name says a moment later.
 * @throws CitadelError where there is none
 */
export async function permittedAddresses(
  hostname: string,
  policy: AddressPolicy,
  resolve: Resolve,
): Promise<readonly string[]> {
  const literal = /^\[(.*)\]$/.exec(hostname)?.[1] ?? hostname;
  const addresses = isIP(literal) === 0 ? await resolve(literal) : [literal];
  const permitted = addresses.filter((address) => faultOfAddress(address, policy) === undefined);
  const [first] = addresses;
  if (first === undefined) throw new CitadelError('Unavailable', `${hostname} has no address`);
  if (permitted.length === 0)
    throw new CitadelError('PermissionDenied', `not connected to: ${faultOfAddress(first, policy)}`);
  return permitted;
}

/** For Node's connections: always these addresses, whatever name is asked. */
export function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, answer) => {
    const [first] = all;
    if (!first) answer(new Error('no address is permitted'), '');
    else if (options.all) answer(null, all);
    else answer(null, first.address, first.family);
  };
}
