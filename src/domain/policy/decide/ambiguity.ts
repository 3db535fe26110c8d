import { once } from '../../../kernel/index.ts';
import type { AuthorizationPolicy, AuthorizationRule } from '../model.ts';
import { conditionSubject } from './condition-key.ts';
import type { HttpAttributes } from './request.ts';

/** What a request's first line says, and the host beside it. */
export type RequestPart = 'path' | 'method' | 'host';

/** The parts that policies compare; only of these is it refused what applications read in different ways. */
export function comparedParts(policies: readonly AuthorizationPolicy[]): ReadonlySet<RequestPart> {
  return new Set(policies.flatMap(({ rules }) => rules.flatMap(partsOf)));
}

const headers: Readonly<Record<string, RequestPart>> = {
  host: 'host',
  ':authority': 'host',
  ':method': 'method',
  ':path': 'path',
};

const partsOf = once(({ to, when }: AuthorizationRule): readonly RequestPart[] => {
  const operations = to.flatMap((each): RequestPart[] => [
    ...(each.paths.length + each.notPaths.length > 0 ? ['path' as const] : []),
    ...(each.methods.length + each.notMethods.length > 0 ? ['method' as const] : []),
    ...(each.hosts.length + each.notHosts.length > 0 ? ['host' as const] : []),
  ]);
  const conditions = when.flatMap(({ key }) => {
    const subject = conditionSubject(key);
    const part = subject.kind === 'header' ? headers[subject.name] : undefined;
    return part === undefined ? [] : [part];
  });
  return [...operations, ...conditions];
});

/** UTF-8 that is longer than it need be, as `%c0%af` for a slash, and `%u002f`: what only careless readers take. */
const carelessEscape = /%(?:c[01]%[89ab]|e0%[89]|f0%8|u)/i;

/**
 * Whether an application may take the part for another one than the policy compares: a path without its parameters, which
 * `;` begins, or with escapes that are none; a method in small letters for the same in capitals; a host that came twice,
 * or with a user's name before it, for a plain one.
 */
export function isAmbiguous(part: RequestPart, { method, host }: HttpAttributes, path: string): boolean {
  switch (part) {
    case 'path':
      return path.includes(';') || /%3b/i.test(path) || carelessEscape.test(path);
    case 'method':
      return /[a-z]/.test(method);
    case 'host':
      return /[@,]/.test(host);
  }
}
