import { isIPv6 } from 'node:net';
import type { Listener } from '../../../gen/envoy/config/listener/v3/listener.ts';
import { socketAddress } from '../messages/values.ts';

/**
 * A port on one address of each family that the workload has: where a machine has no IPv6, a listener on it would be
 * refused, and everything with it.
 */
export function addressesOf(
  addresses: readonly string[],
  { ipv4, ipv6 }: { readonly ipv4: string; readonly ipv6: string },
  port: number,
): Pick<Listener, 'address'> & { readonly additionalAddresses: { readonly address: Listener['address'] }[] } {
  const six = addresses.some((address) => isIPv6(address));
  const four = !six || addresses.some((address) => !isIPv6(address));
  const [first = ipv4, ...others] = [...(four ? [ipv4] : []), ...(six ? [ipv6] : [])];
  return {
    address: socketAddress(first, port),
    additionalAddresses: others.map((address) => ({ address: socketAddress(address, port) })),
  };
}
