import type { CidrRange } from '../../../gen/envoy/config/core/v3/address.ts';
import { HeaderMatcher } from '../../../gen/envoy/config/route/v3/route_components.ts';
import { StringMatcher } from '../../../gen/envoy/type/matcher/v3/string.ts';
import type { ValueMatcher } from '../../../gen/envoy/type/matcher/v3/value.ts';

export function exact(value: string): StringMatcher {
  return { matchPattern: { $case: 'exact', value }, ignoreCase: false };
}

export function prefix(value: string): StringMatcher {
  return { matchPattern: { $case: 'prefix', value }, ignoreCase: false };
}

export function suffix(value: string): StringMatcher {
  return { matchPattern: { $case: 'suffix', value }, ignoreCase: false };
}

/** Of the whole value, as Envoy takes it. */
export function expression(regex: string): StringMatcher {
  return StringMatcher.fromPartial({ matchPattern: { $case: 'safeRegex', value: { regex } } });
}

/** Of any bytes: a dot would pass over a claim with a line break, or one that is no UTF-8. */
export const notEmpty = expression('\\C+');

/** A pattern of the policy language; the star in front is looked at first. */
export function patternMatcher(pattern: string, ignoreCase = false): StringMatcher {
  // Envoy refuses an expression that is to ignore case.
  if (pattern === '*') return notEmpty;
  return { ...plainMatcher(pattern), ignoreCase };
}

function plainMatcher(pattern: string): StringMatcher {
  if (pattern.startsWith('*')) return suffix(pattern.slice(1));
  if (pattern.endsWith('*')) return prefix(pattern.slice(0, -1));
  return exact(pattern);
}

export function stringValue(value: StringMatcher): ValueMatcher {
  return { matchPattern: { $case: 'stringMatch', value } };
}

/** Whatever it is. */
export const present: ValueMatcher = { matchPattern: { $case: 'presentMatch', value: true } };

/** A list in which a string matches. */
export function anyInList(value: StringMatcher): ValueMatcher {
  const oneOf = { $case: 'oneOf', value: stringValue(value) } as const;
  return { matchPattern: { $case: 'listMatch', value: { matchPattern: oneOf } } };
}

/** Envoy compares each value of a header by itself, and takes any. */
export function headerMatcher(name: string, pattern: string, ignoreCase = false): HeaderMatcher {
  return HeaderMatcher.fromPartial({
    name,
    headerMatchSpecifier:
      pattern === '*'
        ? { $case: 'presentMatch', value: true }
        : { $case: 'stringMatch', value: patternMatcher(pattern, ignoreCase) },
  });
}

export function cidr(block: string): CidrRange {
  const [addressPrefix = '', length] = block.split('/', 2);
  const whole = addressPrefix.includes(':') ? 128 : 32;
  return { addressPrefix, prefixLen: length === undefined ? whole : Number(length) };
}

export function escapeExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/**
 * Envoy refuses expressions whose program is longer than 100 instructions unless its bootstrap says otherwise, and one
 * refused expression would refuse all policies. A letter costs one, `[!-.0-~]+` four; this leaves room for the frame.
 */
export const expressionBudget = 80;

/** A segment of a path or of a SPIFFE ID: what is printable, without the slash. */
export const segment = '[!-.0-~]+';
