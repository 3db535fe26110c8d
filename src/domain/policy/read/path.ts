import { isPathTemplate } from '../decide/index.ts';
import type { Fault } from './values.ts';

const one = '{*}';
const any = '{**}';
/** RFC 3986's pchar but `*`, which in a template would be an operator without its braces. */
const literal = /^[\w\-.~%!$&'()+,;:@=]+$/;

/** Why a value of `paths` is none; a template must be one that Envoy takes too. */
export function faultOfPath(path: string): Fault | undefined {
  if (!isPathTemplate(path)) {
    return /[{}]/.test(path)
      ? fault(path, 'braces belong to the operators {*} and {**} alone', 'match with {*} for one segment')
      : undefined;
  }
  if (!path.startsWith('/')) return fault(path, 'a template must begin with /', `write /${path}`);
  const segments = path.replace(/^\/+/, '').replace(/\/+$/, '').split('/');
  const open = segments.indexOf(any);
  if (open !== -1 && segments.slice(open + 1).some((segment) => segment === one || segment === any))
    return fault(path, 'no operator may follow {**}', 'use {*} for each segment before it');
  if (templateCost(segments) > mostCost)
    return fault(
      path,
      'is too long for a template: at most 16 segments, and the fewer the longer one of them is',
      'match a prefix, as /a/b/*, or a shorter template',
    );
  for (const segment of segments) {
    if (segment === one || segment === any) continue;
    if (/[{}]/.test(segment))
      return fault(path, `an operator must be a whole segment, not part of ${segment}`, 'write /{*}/');
    if (!literal.test(segment))
      return fault(
        path,
        segment === '' ? 'a template must not hold //' : `${segment} holds what a template cannot match`,
        segment.includes('*') ? 'within a template write {*} for *' : 'escape it as the request does, as %20',
      );
  }
  return undefined;
}

/**
 * Envoy refuses an expression whose program is longer than 100 instructions, and with it all policies beside this one. Of
 * the expressions that a template becomes, each spells one segment at least and leaves the others open, which costs five.
 */
const mostCost = 85;

function templateCost(segments: readonly string[]): number {
  const longest = Math.max(
    ...segments.map((segment) => (segment === one || segment === any ? 0 : segment.length)),
  );
  return 5 * segments.length + longest;
}

function fault(path: string, message: string, mend: string): Fault {
  return { message: `${JSON.stringify(path)}: ${message}`, mend };
}
