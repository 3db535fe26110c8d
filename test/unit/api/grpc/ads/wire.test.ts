import { describe, expect, it } from 'vitest';
import { defaultDiscoveryLimits } from '../../../../../src/api/grpc/ads/limits.ts';
import { readDeltaRequest, readSotwRequest } from '../../../../../src/api/grpc/ads/request.ts';
import { secretType } from '../../../../../src/api/grpc/ads/types.ts';
import { decodeDeltaRequest, decodeNode, decodeSotwRequest } from '../../../../../src/api/grpc/ads/wire.ts';
import { Node } from '../../../../../src/gen/envoy/config/core/v3/base.ts';
import {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from '../../../../../src/gen/envoy/service/discovery/v3/discovery.ts';

const node = Node.fromPartial({
  id: 'web-1',
  metadata: { a: [1, { b: 'c' }] },
  extensions: Array.from({ length: 300 }, (_, index) => ({
    name: `extension-${index}`,
    category: 'filters',
  })),
});
const parts = { node, typeUrl: secretType, responseNonce: '3', errorDetail: { code: 13, message: 'no' } };

describe('the requests of Envoy', () => {
  it('are read with the node set apart', () => {
    const sotw = DiscoveryRequest.fromPartial({ ...parts, versionInfo: 'v', resourceNames: ['a', 'b'] });
    const read = decodeSotwRequest(DiscoveryRequest.encode(sotw).finish());
    expect(read.message).toEqual({ ...sotw, node: undefined });
    const delta = DeltaDiscoveryRequest.fromPartial({ ...parts, initialResourceVersions: { a: '1' } });
    const other = decodeDeltaRequest(DeltaDiscoveryRequest.encode(delta).finish());
    expect(other.message).toEqual({ ...delta, node: undefined });
    for (const { node: bytes } of [read, other]) {
      expect(decodeNode(bytes ?? Buffer.of())).toEqual({ ...node, extensions: [] });
    }
  });

  it('may come without a node', () => {
    const bytes = DiscoveryRequest.encode(DiscoveryRequest.fromPartial({ typeUrl: secretType })).finish();
    expect(decodeSotwRequest(bytes)).toMatchObject({ node: undefined, message: { typeUrl: secretType } });
    expect(decodeSotwRequest(Buffer.of()).message.typeUrl).toBe('');
  });

  it.each([
    ['a field that ends behind the end', [0x12, 0xff, 0x01, 0x00]],
    ['a length without an end', [0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a tag without an end', [0xff]],
    ['a group', [0x0b, 0x0b]],
  ])('end, whatever they hold: %s', (_what, bytes) => {
    for (const decode of [decodeSotwRequest, decodeDeltaRequest, decodeNode]) {
      try {
        decode(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
  });

  it('give a NACK without the message that was refused', () => {
    const message =
      'goo.gle/debugstr  \nprivate_key {\n  inline_string: "SECRET"\n}\n: Proto constraint failed';
    const named = `Error adding/updating listener(s) a: ${message}\nb: goo.gle/debugonly x\n: also`;
    const read = (text: string) =>
      readSotwRequest(
        DiscoveryRequest.fromPartial({ ...parts, errorDetail: { message: text } }),
        defaultDiscoveryLimits,
      ).error;
    expect(read(message)).toBe('Proto constraint failed');
    expect(read(named)).toBe('Error adding/updating listener(s) a: Proto constraint failed\nb: also');
    expect(read('goo.gle/debugproto \nprivate_key { inline_string: "SECRET" ...(truncated)')).toBe(
      'no reason given',
    );
    expect(read('')).toBe('no reason given');
  });

  it('are bounded also in what they say to have', () => {
    const limits = { ...defaultDiscoveryLimits, names: 2 };
    const initialResourceVersions = { a: '1', b: '1', c: '1' };
    const request = DeltaDiscoveryRequest.fromPartial({ ...parts, initialResourceVersions });
    expect(() => readDeltaRequest(request, limits)).toThrow(/2 resource names at most/);
    const long = DeltaDiscoveryRequest.fromPartial({
      ...parts,
      initialResourceVersions: { a: 'x'.repeat(1000) },
    });
    expect(() => readDeltaRequest(long, limits)).toThrow(/characters at most/);
  });
});
