import type { AuthorizationPolicy } from '../../../domain/policy/index.ts';
import { comparedParts, type RequestPart } from '../../../domain/policy/index.ts';
import { type Permission, Policy, RBAC, RBAC_Action } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import { HeaderMatcher } from '../../../gen/envoy/config/route/v3/route_components.ts';
import {
  type HttpConnectionManager,
  HttpConnectionManager_PathWithEscapedSlashesAction,
} from '../../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { StringMatcher } from '../../../gen/envoy/type/matcher/v3/string.ts';
import { urlPath } from './operations.ts';
import { expression } from './strings.ts';
import { permissions, principals } from './terms.ts';

type PathSettings = Pick<
  HttpConnectionManager,
  'normalizePath' | 'mergeSlashes' | 'pathWithEscapedSlashesAction' | 'stripTrailingHostDot'
>;

/**
 * What every HTTP connection manager in front of policies must have: the application is given the path, and the host,
 * that the policies saw, in one form, however they came. `domain/policy/decide` reads paths by the same rules.
 */
export function pathSettings(): PathSettings {
  return {
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.UNESCAPE_AND_FORWARD,
    stripTrailingHostDot: true,
  };
}

/** What Envoy leaves as it is and applications read in different ways: where a policy compares it, it is refused. */
export function requestGuard(policies: readonly AuthorizationPolicy[]): RBAC | undefined {
  const compared = comparedParts(policies);
  if (compared.size === 0) return undefined;
  return RBAC.fromPartial({
    action: RBAC_Action.DENY,
    policies: Object.fromEntries(
      [...compared].map((part) => [
        `ambiguous-${part}`,
        Policy.fromPartial({
          permissions: [permissions.some(ambiguous[part])],
          principals: [principals.any],
        }),
      ]),
    ),
  });
}

const contains = (value: string): StringMatcher => ({
  matchPattern: { $case: 'contains', value },
  ignoreCase: true,
});

const header = (name: string, value: StringMatcher): Permission => ({
  rule: {
    $case: 'header',
    value: HeaderMatcher.fromPartial({ name, headerMatchSpecifier: { $case: 'stringMatch', value } }),
  },
});

/** Overlong UTF-8 of two, three and four bytes, and escapes of another kind. */
const carelessEscape = '(?i).*%(?:c[01]%[89ab]|e0%[89]|f0%8|u).*';

const ambiguous: Readonly<Record<RequestPart, readonly Permission[]>> = {
  path: [contains(';'), contains('%3b'), expression(carelessEscape)].map(urlPath),
  method: [header(':method', expression('.*[a-z].*'))],
  host: [contains('@'), contains(',')].map((value) => header(':authority', value)),
};
