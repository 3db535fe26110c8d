import {
  MetadataSource,
  type Permission,
  type Principal,
  type SourcedMetadata,
} from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import type { ValueMatcher } from '../../../gen/envoy/type/matcher/v3/value.ts';

/** What a filter has left under `path`, of this request or connection; nothing that stands in a route. */
function left(filter: string, path: readonly string[], value: ValueMatcher): SourcedMetadata {
  return {
    metadataMatcher: {
      filter,
      path: path.map((key) => ({ segment: { $case: 'key', value: key } })),
      value,
      invert: false,
    },
    metadataSource: MetadataSource.DYNAMIC,
  };
}

export function principalMetadata(filter: string, path: readonly string[], value: ValueMatcher): Principal {
  return { identifier: { $case: 'sourcedMetadata', value: left(filter, path, value) } };
}

export function permissionMetadata(filter: string, path: readonly string[], value: ValueMatcher): Permission {
  return { rule: { $case: 'sourcedMetadata', value: left(filter, path, value) } };
}
