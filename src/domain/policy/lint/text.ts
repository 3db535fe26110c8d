import { isPathTemplate, normalizePath } from '../decide/index.ts';
import type { AuthorizationPolicy } from '../model.ts';
import { authorizationsOf, type LintContext, type Remark } from './context.ts';
import { type RuleValue, valuesOf } from './values.ts';

/** Texts that mean something else than they seem to. */
export function texts({ policies }: LintContext): readonly Remark[] {
  return authorizationsOf(policies).flatMap((policy) =>
    valuesOf(policy).flatMap((value) =>
      [wildcard, method, host, path, headerHost, sni].flatMap((judge) => judge(value, policy)),
    ),
  );
}

type Judge = (value: RuleValue, policy: AuthorizationPolicy) => readonly Remark[];

const withoutPatterns: ReadonlySet<string> = new Set([
  'ipBlocks',
  'remoteIpBlocks',
  'destination.ip',
  'ports',
  'serviceAccounts',
]);

const wildcard: Judge = ({ field, value, path: at }, policy) => {
  if (withoutPatterns.has(field) || field.startsWith('experimental.')) return [];
  if (field === 'paths' && isPathTemplate(value)) return [];
  const inner = value.startsWith('*') ? value.slice(1) : value.replace(/\*$/, '');
  if (value === '*' || !inner.includes('*')) return [];
  return [
    {
      policy,
      rule: 'literal-wildcard',
      path: at,
      message: `${JSON.stringify(value)} holds a * that stands for itself: only one at the beginning or the end is a wildcard`,
      mend:
        field === 'paths'
          ? 'use a template: {*} for one segment, {**} for any'
          : 'write a prefix* or a *suffix',
    },
  ];
};

const method: Judge = ({ field, value, path: at }, policy) =>
  field === 'methods' && value !== value.toUpperCase()
    ? [
        {
          policy,
          rule: 'method-in-lower-case',
          path: at,
          message: 'case counts, and methods are in upper case: none ever matches',
          mend: `write ${JSON.stringify(value.toUpperCase())}`,
        },
      ]
    : [];

const host: Judge = ({ field, value, path: at }, policy) =>
  field === 'hosts' && value.includes('/')
    ? [
        {
          policy,
          rule: 'host-never-matches',
          path: at,
          message: 'a host is a name and perhaps a port; with a / none ever matches',
          mend: `write ${JSON.stringify(value.replace(/^\w*:\/\//, '').replace(/\/.*/, ''))}`,
        },
      ]
    : [];

const path: Judge = ({ field, value, path: at }, policy) =>
  field === 'paths' && !isNormalPath(value)
    ? [
        {
          policy,
          rule: 'path-never-matches',
          path: at,
          message:
            'paths are compared without query, with escapes, // and dots resolved: none ever matches this',
          mend: `write ${JSON.stringify(normalizePath(value) ?? '/PATH')}`,
        },
      ]
    : [];

/** Whether some path can be like this once it has been normalized. */
export function isNormalPath(value: string): boolean {
  if (isPathTemplate(value)) return true;
  const part = value.replaceAll('*', '');
  return value.includes('*') ? !/\/\/|\/\.\.?\/|%2f|%5c|[\\?#]/i.test(part) : normalizePath(value) === value;
}

const headerHost: Judge = ({ field, value, path: at }, policy) =>
  /^request\.headers\[(?::authority|host)\]$/i.test(field) && /[A-Za-z]/.test(value)
    ? [
        {
          policy,
          rule: 'host-case',
          path: at,
          message:
            'case counts in headers, and not in hosts: Example.com and example.com are one host and two headers',
          mend: 'use to.operation.hosts, which passes over case',
        },
      ]
    : [];

const sni: Judge = ({ field, value, path: at }, policy) =>
  field === 'connection.sni' && /[A-Z]/.test(value)
    ? [
        {
          policy,
          rule: 'sni-in-upper-case',
          path: at,
          message: 'the name that a client asks for is compared in lower case: none ever matches',
          mend: `write ${JSON.stringify(value.toLowerCase())}`,
        },
      ]
    : [];
