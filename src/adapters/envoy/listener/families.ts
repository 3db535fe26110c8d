import { isIPv6 } from 'node:net';
import type { Listener } from '../../../gen/envoy/config/listener/v3/listener.ts';
import { socketAddress } from '../messages/values.ts';

export type Family = 'ipv4' | 'ipv6';

/** The families of a workload's addresses; IPv4 where it has none. */
export function familiesOf(addresses: readonly string[]): readonly Family[] {
  const six = addresses.some((address) => isIPv6(address));
  const four = !six || addresses.some((address) => !isIPv6(address));
  return [...(four ? (['ipv4'] as const) : []), ...(six ? (['ipv6'] as const) : [])];
}

/**
 * A port on one address of each family: where a machine has no IPv6, a listener on it would be refused, and everything
 * with it.
 */
export function addressesOf(
  families: readonly Family[],
  address: Readonly<Record<Family, string>>,
  port: number,
): Pick<Listener, 'address'> & { readonly additionalAddresses: { readonly address: Listener['address'] }[] } {
  const [first = 'ipv4', ...others] = families;
  return {
    address: socketAddress(address[first], port),
    additionalAddresses: others.map((family) => ({ address: socketAddress(address[family], port) })),
  };
}
