import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import {
  DeltaDiscoveryResponse,
  DiscoveryResponse,
} from '../../../gen/envoy/service/discovery/v3/discovery.ts';
import { FieldWriter, fieldLength } from './fields.ts';
import type { Push, Variant } from './push.ts';

/**
 * A DiscoveryResponse or DeltaDiscoveryResponse, encoded. A resource's bytes are the source's, the same for all streams,
 * and are copied once into each frame: never encoded, never held a second time. What stands before them is written into
 * the frame and kept nowhere: a small buffer kept is 64 KiB of Node's pool kept.
 */
export function encodePush(variant: Variant, push: Push): Buffer {
  const envelope = envelopeOf(variant, push);
  const typeLength = Buffer.byteLength(push.typeUrl);
  const lengths = push.resources.map((resource) => lengthsOf(variant, typeLength, resource));
  const frame = Buffer.allocUnsafe(
    lengths.reduce((sum, { entry }) => sum + fieldLength(entry), envelope.length),
  );
  const writer = new FieldWriter(frame);
  writer.raw(envelope);
  for (const [at, { name, version, value }] of push.resources.entries()) {
    const { any = 0, entry = 0 } = lengths[at] ?? {};
    writer.open(2, entry);
    if (variant === 'delta') {
      writer.text(3, name);
      writer.text(1, version);
      writer.open(2, any);
    }
    writer.text(1, push.typeUrl);
    writer.bytes(2, value);
  }
  return frame;
}

/** All but the resources: protobuf's fields may come in any order. */
function envelopeOf(variant: Variant, { typeUrl, nonce, version, removed }: Push): Uint8Array {
  if (variant === 'sotw') {
    return DiscoveryResponse.encode(
      DiscoveryResponse.create({ versionInfo: version, typeUrl, nonce }),
    ).finish();
  }
  const removedResources = [...removed];
  const response = DeltaDiscoveryResponse.create({
    systemVersionInfo: version,
    typeUrl,
    nonce,
    removedResources,
  });
  return DeltaDiscoveryResponse.encode(response).finish();
}

/**
 * Field 2 of either response is an Any (type_url = 1, value = 2), in delta within a Resource (name = 3, version = 1,
 * resource = 2).
 */
function lengthsOf(variant: Variant, typeLength: number, { name, version, value }: DiscoveryResource) {
  const any = fieldLength(typeLength) + fieldLength(value.length);
  if (variant === 'sotw') return { any, entry: any };
  const named = fieldLength(Buffer.byteLength(name)) + fieldLength(Buffer.byteLength(version));
  return { any, entry: named + fieldLength(any) };
}
