import { Address, SocketAddress_Protocol } from '../../../gen/envoy/config/core/v3/address.ts';
import type { Duration } from '../../../gen/google/protobuf/duration.ts';

export function duration(milliseconds: number): Duration {
  const whole = Math.trunc(milliseconds / 1000);
  return { seconds: BigInt(whole), nanos: Math.round((milliseconds - whole * 1000) * 1e6) };
}

export function socketAddress(address: string, port: number): Address {
  return Address.fromPartial({
    address: {
      $case: 'socketAddress',
      value: {
        protocol: SocketAddress_Protocol.TCP,
        address,
        portSpecifier: { $case: 'portValue', value: port },
      },
    },
  });
}
