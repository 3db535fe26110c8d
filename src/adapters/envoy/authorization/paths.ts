import type { AuthorizationPolicy } from '../../../domain/policy/index.ts';
import { namesPaths } from '../../../domain/policy/index.ts';
import { Policy, RBAC, RBAC_Action } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import {
  type HttpConnectionManager,
  HttpConnectionManager_PathWithEscapedSlashesAction,
} from '../../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { urlPath } from './operations.ts';
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

/** Parameters of a path (`/a;x=1`) are left as they are by Envoy: where a policy names paths, they are refused. */
export function pathGuard(policies: readonly AuthorizationPolicy[]): RBAC | undefined {
  if (!policies.some(namesPaths)) return undefined;
  const contains = (value: string) =>
    urlPath({ matchPattern: { $case: 'contains', value }, ignoreCase: true });
  const policy = Policy.fromPartial({
    permissions: [permissions.some([contains(';'), contains('%3b')])],
    principals: [principals.any],
  });
  return RBAC.fromPartial({ action: RBAC_Action.DENY, policies: { 'path-parameters': policy } });
}
