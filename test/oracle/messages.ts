import { Router } from '../../src/gen/envoy/extensions/filters/http/router/v3/router.ts';
import { DiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Any } from '../../src/gen/google/protobuf/any.ts';

interface Writer<T> {
  encode(message: T): { finish(): Uint8Array };
}

export function packed<T>(type: string, writer: Writer<T>, message: T): Any {
  return Any.fromPartial({
    typeUrl: `type.googleapis.com/${type}`,
    value: Buffer.from(writer.encode(message).finish()),
  });
}

/** A field of a message whose contract is not among those that we have. */
export function lengthDelimited(field: number, value: Buffer): Buffer {
  if (value.length > 16_383) throw new Error('longer than two bytes of length');
  const length = value.length < 128 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >> 7];
  return Buffer.concat([Buffer.of((field << 3) | 2, ...length), value]);
}

export function emptyMessage(type: string): Any {
  return Any.fromPartial({ typeUrl: `type.googleapis.com/${type}` });
}

/** As Envoy reads it from a file whose name ends in `.pb`. */
export function discoveryFile(resources: readonly Any[]): Uint8Array {
  return DiscoveryResponse.encode(
    DiscoveryResponse.fromPartial({ versionInfo: '1', resources: [...resources] }),
  ).finish();
}

export const router = {
  name: 'router',
  configType: {
    $case: 'typedConfig',
    value: packed('envoy.extensions.filters.http.router.v3.Router', Router, Router.fromPartial({})),
  },
} as const;
