import type { Claims } from '../../src/domain/policy/index.ts';
import { HttpFilter } from '../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { Struct, Value } from '../../src/gen/google/protobuf/struct.ts';
import { words } from './generate/index.ts';
import { lengthDelimited, packed } from './messages.ts';

const headerOf = (name: string) => `x-oracle-left-${name}`;

/** Leaves for the policies what the headers of a request say, as a filter of Envoy's own would that has looked at it. */
export function metadataFilter(): HttpFilter {
  const rules = words.metadataNames.map((key) => ({
    header: headerOf(key),
    on_header_present: {
      metadata_namespace: words.metadataFilter,
      key,
      type: 'PROTOBUF_VALUE',
      encode: 'BASE64',
    },
    remove: true,
  }));
  const type = 'envoy.extensions.filters.http.header_to_metadata.v3.Config';
  const value = packed('xds.type.v3.TypedStruct', typedStruct, { type, config: { request_rules: rules } });
  return HttpFilter.fromPartial({ name: 'left-metadata', configType: { $case: 'typedConfig', value } });
}

/** By a message that names its type and says the rest as JSON would: Envoy's contracts here do not have this filter's. */
const typedStruct = {
  encode: ({ type, config }: { readonly type: string; readonly config: object }) => ({
    finish: () =>
      Buffer.concat([
        lengthDelimited(1, Buffer.from(`type.googleapis.com/${type}`)),
        lengthDelimited(2, Buffer.from(Struct.encode(Struct.wrap({ ...config })).finish())),
      ]),
  }),
};

/** Header lines that make the filter leave this. */
export function metadataLines(metadata: Claims): readonly string[] {
  return Object.entries(metadata).map(([name, value]) => {
    const encoded = Buffer.from(Value.encode(Value.wrap(value)).finish());
    return `${headerOf(name)}: ${encoded.toString('base64')}`;
  });
}
