import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import {
  DeltaDiscoveryResponse,
  DiscoveryResponse,
} from '../../../gen/envoy/service/discovery/v3/discovery.ts';
import type { Push, Variant } from './push.ts';

/**
 * What stands before a resource's bytes in a response; the bytes themselves are the source's, the same for all streams,
 * and are copied once into each frame: never encoded, never held a second time.
 */
const heads: Readonly<Record<Variant, WeakMap<DiscoveryResource, Buffer>>> = {
  sotw: new WeakMap(),
  delta: new WeakMap(),
};

/** A DiscoveryResponse or DeltaDiscoveryResponse, encoded. */
export function encodePush(variant: Variant, push: Push): Buffer {
  const parts: Uint8Array[] = [envelope(variant, push)];
  for (const resource of push.resources) {
    const head = heads[variant].get(resource) ?? headOf(variant, push.typeUrl, resource);
    heads[variant].set(resource, head);
    parts.push(head, resource.value);
  }
  return Buffer.concat(parts);
}

/** All but the resources: protobuf's fields may come in any order. */
function envelope(variant: Variant, { typeUrl, nonce, version, removed }: Push): Uint8Array {
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
 * Field 2 of either response up to the message's own bytes, which come last: an Any (type_url = 1, value = 2), in delta
 * within a Resource (name = 3, version = 1, resource = 2).
 */
function headOf(variant: Variant, typeUrl: string, { name, version, value }: DiscoveryResource): Buffer {
  const any = open(2, [text(1, typeUrl), open(2, [], value.length)], value.length);
  if (variant === 'sotw') return any;
  return open(2, [text(3, name), text(1, version), any], value.length);
}

/** A length-delimited field that goes on for `more` bytes after `parts`. */
function open(field: number, parts: readonly Uint8Array[], more: number): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(content.length + more)]), content]);
}

function text(field: number, value: string): Buffer {
  return open(field, [Buffer.from(value)], 0);
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
