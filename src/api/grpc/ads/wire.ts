import { Node } from '../../../gen/envoy/config/core/v3/base.ts';
import {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from '../../../gen/envoy/service/discovery/v3/discovery.ts';

/** A request, and its node still encoded. */
export interface Wire<Message> {
  readonly message: Message;
  readonly node: Uint8Array | undefined;
}

/**
 * Envoy sends its node with every request, unless told not to: 61 KB, a list of 516 extensions (1.40, measured). It
 * counts once a stream, so it is set apart here and decoded at the first request alone.
 */
export function decodeSotwRequest(bytes: Uint8Array): Wire<DiscoveryRequest> {
  const { node, rest } = setApart(bytes, 2);
  return { message: DiscoveryRequest.decode(rest), node };
}

export function decodeDeltaRequest(bytes: Uint8Array): Wire<DeltaDiscoveryRequest> {
  const { node, rest } = setApart(bytes, 1);
  return { message: DeltaDiscoveryRequest.decode(rest), node };
}

/** What is kept of a node: its extensions are left out undecoded (field 9). */
export function decodeNode(bytes: Uint8Array): Node {
  return Node.decode(setApart(bytes, 9).rest);
}

interface Apart {
  readonly node: Uint8Array | undefined;
  readonly rest: Uint8Array;
}

/** Takes a length-delimited field out of an encoded message; of several, the last counts. */
function setApart(bytes: Uint8Array, field: number): Apart {
  const kept: Uint8Array[] = [];
  let node: Uint8Array | undefined;
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const tag = readVarint(bytes, at);
    at = tag.end;
    const kind = tag.value & 7;
    if (kind !== 2) {
      // No request and no node has other fields at its top than these few: let the decoder judge the rest as it is.
      kept.push(bytes.subarray(start));
      break;
    }
    const length = readVarint(bytes, at);
    at = length.end + length.value;
    if (tag.value >>> 3 === field) node = bytes.subarray(length.end, at);
    else kept.push(bytes.subarray(start, at));
  }
  return { node, rest: kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept) };
}

/** A malformed one leads behind the end, where the walk ends and the decoder refuses what it is given. */
function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let at = from;
  for (let factor = 1; at < bytes.length && factor <= 2 ** 28; factor *= 128) {
    const byte = bytes[at] ?? 0;
    at += 1;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
  }
  return { value, end: at };
}
