import type { OperationMatch } from '../../../domain/policy/index.ts';
import { isPathTemplate } from '../../../domain/policy/index.ts';
import type { Permission } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import type { StringMatcher } from '../../../gen/envoy/type/matcher/v3/string.ts';
import { cidr, expression, headerMatcher, patternMatcher } from './strings.ts';
import { templateExpressions } from './templates.ts';
import { attribute, permissions } from './terms.ts';

/** `fixed`: the port is known already, see `AuthorizationContext.port`. */
export function destinationPort(value: string, fixed: number | undefined): Permission {
  if (fixed === undefined) return { rule: { $case: 'destinationPort', value: Number(value) } };
  return fixed === Number(value) ? permissions.any : permissions.not(permissions.any);
}

export function destinationIp(block: string): Permission {
  return { rule: { $case: 'destinationIp', value: cidr(block) } };
}

/** Envoy knows it in small letters only, however it came. */
export function serverName(pattern: string): Permission {
  return { rule: { $case: 'requestedServerName', value: patternMatcher(pattern, true) } };
}

/** Without the fields that need HTTP where there is none. */
export function operation(
  { hosts, notHosts, ports, notPorts, methods, notMethods, paths, notPaths }: OperationMatch,
  options: { readonly http: boolean; readonly port: number | undefined },
): Permission {
  const http = options.http
    ? [
        ...attribute(permissions, hosts, notHosts, host),
        ...attribute(permissions, methods, notMethods, method),
        ...attribute(permissions, paths, notPaths, path),
      ]
    : [];
  const port = attribute(permissions, ports, notPorts, (value) => destinationPort(value, options.port));
  return permissions.all([...http, ...port]);
}

function host(pattern: string): Permission {
  return { rule: { $case: 'header', value: headerMatcher(':authority', pattern, true) } };
}

function method(pattern: string): Permission {
  return { rule: { $case: 'header', value: headerMatcher(':method', pattern) } };
}

function path(pattern: string): Permission {
  if (!isPathTemplate(pattern)) return urlPath(patternMatcher(pattern));
  return permissions.all(templateExpressions(pattern).map((each) => urlPath(expression(each))));
}

/** The path without its query. */
export function urlPath(value: StringMatcher): Permission {
  return { rule: { $case: 'urlPath', value: { rule: { $case: 'path', value } } } };
}
