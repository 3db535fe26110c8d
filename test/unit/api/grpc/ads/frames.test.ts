import { describe, expect, it, vi } from 'vitest';
import { encodePush } from '../../../../../src/api/grpc/ads/frames.ts';
import { clusterType } from '../../../../../src/api/grpc/ads/types.ts';
import {
  DeltaDiscoveryResponse,
  DiscoveryResponse,
  Resource,
} from '../../../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Any } from '../../../../../src/gen/google/protobuf/any.ts';
import { resource } from '../../../../fakes/discovery-source.ts';

const push = (sizes: readonly number[]) => ({
  typeUrl: clusterType,
  nonce: '7',
  version: 'v',
  resources: sizes.map((size) => resource(`näme-${size}`, Buffer.alloc(size, 7))),
  removed: ['gone', 'also gone'],
  replaced: [],
});

describe('encodePush', () => {
  // Where a length takes one byte more: 2^7, 2^14, 2^21.
  const sizes = [0, 1, 127, 128, 16_300, 16_384, 2_097_100, 2_097_152, 3_000_000];

  it('is a DiscoveryResponse', () => {
    const given = push(sizes);
    const read = DiscoveryResponse.decode(encodePush('sotw', given));
    expect(read).toMatchObject({ typeUrl: clusterType, nonce: '7', versionInfo: 'v' });
    expect(read.resources.map(({ typeUrl, value }) => [typeUrl, value.length])).toEqual(
      sizes.map((size) => [clusterType, size]),
    );
    const [, one] = given.resources;
    expect(read.resources[1]?.value.equals(one?.value ?? Buffer.of())).toBe(true);
  });

  it('is a DeltaDiscoveryResponse', () => {
    const given = push(sizes);
    const read = DeltaDiscoveryResponse.decode(encodePush('delta', given));
    expect(read).toMatchObject({ typeUrl: clusterType, nonce: '7', systemVersionInfo: 'v' });
    expect(read.removedResources).toEqual(['gone', 'also gone']);
    expect(
      read.resources.map(({ name, version, resource: any }) => [name, version, any?.value.length]),
    ).toEqual(given.resources.map(({ name, version, value }) => [name, version, value.length]));
    expect(read.resources[0]?.resource?.typeUrl).toBe(clusterType);
  });

  it('encodes no resource again, however many streams there are', () => {
    const any = vi.spyOn(Any, 'encode');
    const wrapped = vi.spyOn(Resource, 'encode');
    const given = push([1000]);
    for (let stream = 0; stream < 1000; stream += 1) {
      encodePush('sotw', given);
      encodePush('delta', given);
    }
    expect(any).not.toHaveBeenCalled();
    expect(wrapped).not.toHaveBeenCalled();
  });
});
