import { isPathTemplate, normalizePath } from '../decide/index.ts';
import type { AuthorizationPolicy, Policy, RequestAuthentication } from '../model.ts';
import { parseJwks } from '../read/index.ts';
import type { LintContext, Remark } from './context.ts';
import { type RuleValue, valuesOf } from './values.ts';

/** Texts that mean something else than they seem to. */
export function texts({ policies }: LintContext): readonly Remark[] {
  return policies.flatMap((policy: Policy) => {
    if (policy.kind === 'PeerAuthentication') return [];
    if (policy.kind === 'RequestAuthentication') return keys(policy);
    const values = valuesOf(policy);
    const hosts = new Set(values.filter(({ field }) => field === 'hosts').map(hostKey));
    return values.flatMap((value) =>
      [wildcard, method, host, path, headerHost, sni].flatMap((judge) => judge(value, policy, hosts)),
    );
  });
}

type Judge = (value: RuleValue, policy: AuthorizationPolicy, hosts: ReadonlySet<string>) => readonly Remark[];

function hostKey({ negated, value }: Pick<RuleValue, 'negated' | 'value'>): string {
  return `${negated} ${value}`;
}

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

/** Whether what does not match is let in: there a way to write the same otherwise is a way around the policy. */
function opensByMiss({ negated }: RuleValue, { action }: AuthorizationPolicy): boolean {
  return negated ? action === 'ALLOW' : action === 'DENY';
}

const host: Judge = (given, policy, hosts) => {
  const { field, value, path: at } = given;
  if (field !== 'hosts') return [];
  if (value.includes('/'))
    return [
      {
        policy,
        rule: 'host-never-matches',
        path: at,
        message: 'a host is a name and perhaps a port; with a / none ever matches',
        mend: `write ${JSON.stringify(value.replace(/^\w*:\/\//, '').replace(/\/.*/, ''))}`,
      },
    ];
  if (!opensByMiss(given, policy) || value.endsWith('*') || /:\d+$/.test(value)) return [];
  const withPort = `${value}:*`;
  if (value.startsWith('*') || hosts.has(hostKey({ negated: given.negated, value: withPort }))) return [];
  return [
    {
      policy,
      rule: 'host-without-port',
      path: at,
      message: `a call whose Host header names a port, as ${value}:80, is another host and gets around this rule`,
      mend: `add ${JSON.stringify(withPort)}`,
    },
  ];
};

const path: Judge = (given, policy) => {
  const { field, value, path: at } = given;
  if (field !== 'paths') return [];
  if (!isNormal(value))
    return [
      {
        policy,
        rule: 'path-never-matches',
        path: at,
        message:
          'paths are compared without query, with escapes, // and dots resolved: none ever matches this',
        mend: `write ${JSON.stringify(normalizePath(value) ?? '/PATH')}`,
      },
    ];
  if (!opensByMiss(given, policy) || !/[A-Za-z]/.test(value)) return [];
  return [
    {
      policy,
      rule: 'path-case',
      path: at,
      message: `case counts: ${swapCase(value)} is another path and gets around this rule, if the application takes both for one`,
      mend: 'rather ALLOW the paths that are meant, so that what is not matched is denied',
    },
  ];
};

/** Whether some path can be like this once it has been normalized. */
function isNormal(value: string): boolean {
  if (isPathTemplate(value)) return true;
  const part = value.replaceAll('*', '');
  return value.includes('*') ? !/\/\/|\/\.\.?\/|%2f|%5c|[\\?#]/i.test(part) : normalizePath(value) === value;
}

function swapCase(value: string): string {
  return value.replace(/[A-Za-z]+/, (word) =>
    word === word.toUpperCase() ? word.toLowerCase() : word.toUpperCase(),
  );
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

function keys(policy: RequestAuthentication): readonly Remark[] {
  return policy.jwtRules.flatMap(({ issuer, jwks, jwksUri }, index) => {
    const at = ['spec', 'jwtRules', index];
    const remark = (rule: string, name: string, message: string, mend: string): Remark => ({
      policy,
      rule,
      path: [...at, name],
      message,
      mend,
    });
    if (jwksUri?.startsWith('http:'))
      return [
        remark(
          'keys-over-http',
          'jwksUri',
          'keys are fetched over https alone: whoever stands between could give others',
          'write https://',
        ),
      ];
    if (jwks === undefined && jwksUri === undefined && !issuer.startsWith('https://'))
      return [
        remark(
          'keys-not-found',
          'issuer',
          'keys are asked of the issuer, which is no https:// address',
          'name them by jwksUri or jwks',
        ),
      ];
    const parsed = jwks === undefined ? [] : parseJwks(jwks);
    if ('message' in parsed || !parsed.some((key) => 'd' in key || key.kty === 'oct')) return [];
    return [
      remark(
        'private-keys',
        'jwks',
        'these keys can also sign: whoever reads the policy can make tokens',
        'keep the public parts alone',
      ),
    ];
  });
}
