import { conditionSubject, isJoinedHeader, isPathTemplate } from '../decide/index.ts';
import type { AuthorizationPolicy } from '../model.ts';
import { authorizationsOf, type LintContext, type Remark } from './context.ts';
import { isIdentity } from './identity.ts';
import { isNormalPath } from './text.ts';
import { type RuleValue, valuesOf, valuesOfRule } from './values.ts';

/** What a caller can write otherwise, and so walk around a policy. */
export function evasions(context: LintContext): readonly Remark[] {
  return authorizationsOf(context.policies).flatMap((policy) => {
    const values = valuesOf(policy);
    const said = new Set(values.map(keyOf));
    return [
      ...values
        .filter((value) => opensByMiss(value, policy))
        .flatMap((value) =>
          [host, pathCase, pathSpelling, headerTwice].flatMap((judge) => judge(value, said)),
        )
        .map((remark) => ({ policy, ...remark })),
      ...forwardedAddresses(policy, context),
    ];
  });
}

/** Whether what does not match is let in: there a way to write the same otherwise is a way around the policy. */
function opensByMiss({ negated }: RuleValue, { action }: AuthorizationPolicy): boolean {
  return negated ? action === 'ALLOW' : action === 'DENY';
}

type Judge = (given: RuleValue, said: ReadonlySet<string>) => readonly Omit<Remark, 'policy'>[];

function keyOf({ field, negated, value }: Pick<RuleValue, 'field' | 'negated' | 'value'>): string {
  return `${field} ${negated} ${value}`;
}

const host: Judge = (given, said) => {
  const { field, value, path } = given;
  if (field !== 'hosts' || /[/]|^\*|\*$|:\d+$/.test(value)) return [];
  const withPort = `${value}:*`;
  if (said.has(keyOf({ ...given, value: withPort }))) return [];
  return [
    {
      rule: 'host-without-port',
      path,
      message: `a call whose Host header names a port, as ${value}:80, is another host and gets around this rule`,
      mend: `add ${JSON.stringify(withPort)}`,
    },
  ];
};

const rather = 'rather ALLOW the paths that are meant, so that what is not matched is denied';

const pathCase: Judge = ({ field, value, path }) =>
  field === 'paths' && isNormalPath(value) && /[A-Za-z]/.test(value.replace(escape, ''))
    ? [
        {
          rule: 'path-case',
          path,
          message: `case counts: ${swapCase(value)} is another path and gets around this rule, if the application takes both for one`,
          mend: rather,
        },
      ]
    : [];

function swapCase(value: string): string {
  return value.replace(/[A-Za-z]+/g, (word) =>
    word === word.toUpperCase() ? word.toLowerCase() : word.toUpperCase(),
  );
}

const pathSpelling: Judge = (given, said) => {
  const { field, value, path } = given;
  if (field !== 'paths' || !isNormalPath(value)) return [];
  const other = otherSpellings(value).find((spelling) => !said.has(keyOf({ ...given, value: spelling })));
  if (other === undefined) return [];
  return [
    {
      rule: 'path-spelling',
      path,
      message: `${other} is another path to a proxy, and the same to an application that resolves escapes: it gets around this rule`,
      mend: `add ${JSON.stringify(other)}, or ${rather}`,
    },
  ];
};

const escape = /%[0-9A-Fa-f]{2}/g;
/** What a proxy leaves as it was written, escaped or not. `;` is refused wherever a policy names paths. */
const reserved = /[!$&'()+,:=@[\]]/;

/** Each with one part of the path written in the other way that a proxy leaves as it is. */
function otherSpellings(value: string): readonly string[] {
  const parts = [...value.matchAll(/%[0-9A-Fa-f]{2}|\{\*\*?\}|./gs)].map(([part]) => part);
  return parts.flatMap((part, index) => {
    const other = isPathTemplate(part) ? undefined : otherSpelling(part);
    return other === undefined ? [] : [parts.with(index, other).join('')];
  });
}

function otherSpelling(part: string): string | undefined {
  if (part.length === 1)
    return reserved.test(part) ? `%${part.charCodeAt(0).toString(16).toUpperCase()}` : undefined;
  const character = String.fromCharCode(Number.parseInt(part.slice(1), 16));
  if (reserved.test(character) || character === '*') return character;
  const swapped = part === part.toUpperCase() ? part.toLowerCase() : part.toUpperCase();
  return swapped === part ? undefined : swapped;
}

const headerTwice: Judge = ({ field, value, path }) => {
  if (!field.startsWith('request.headers[') || value === '*') return [];
  const subject = conditionSubject(field);
  if (subject.kind !== 'header' || !isJoinedHeader(subject.name)) return [];
  const twice = value.replace(/^\*|\*$/, '');
  return [
    {
      rule: 'header-twice',
      path,
      message: `a caller that sends ${subject.name} twice is compared with both as one, as ${JSON.stringify(`${twice},x`)} or ${JSON.stringify(`x,${twice}`)}, and gets around this rule`,
      mend: 'rather ALLOW the values that are meant, so that what is not matched is denied',
    },
  ];
};

/** Who is behind a proxy is known by what that proxy says; without one the caller says it. */
function forwardedAddresses(policy: AuthorizationPolicy, context: LintContext): readonly Remark[] {
  const found = policy.rules.flatMap((rule, at) => {
    const all = valuesOfRule(rule, at);
    /** Whoever is named, in the source or in the conditions beside it, is trusted to say whom it speaks for. */
    const namesCaller = (source: unknown) =>
      all.some(
        (value) =>
          isIdentity(value) &&
          !value.negated &&
          value.value !== '*' &&
          (value.path[3] !== 'from' || value.path[4] === source),
      );
    const sources: readonly unknown[] = rule.from.length === 0 ? [undefined] : [...rule.from.keys()];
    const lists = all
      .filter(({ field }) => field === 'remoteIpBlocks')
      .map(({ path }) => path.slice(0, -1))
      .filter((path) => !(path[3] === 'from' ? [path[4]] : sources).every(namesCaller));
    return [...new Map(lists.map((path) => [path.join(), path])).values()];
  });
  if (found.length === 0) return [];
  const ports = context.workloadsOf(policy).flatMap((workload) => workload.ports);
  // Of a connection that is not HTTP it is the address of the peer.
  if (ports.length > 0 && ports.every(({ protocol }) => protocol === 'tcp')) return [];
  return found.map((path) => ({
    policy,
    rule: 'forwarded-address',
    path,
    message:
      'this is the address that x-forwarded-for gives, which a caller can write: nothing says how many proxies in front are to be trusted',
    mend: 'match ipBlocks, or name in the same source the principal of the proxy that sets the header',
  }));
}
