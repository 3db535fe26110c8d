import type { PolicyWorld } from '../../src/domain/policy/index.ts';
import { type Mention, patternsOf } from './mentions.ts';
import { samplesOf } from './strings.ts';

/** SPIFFE ID 2.1 to 2.3, with a path: what a certificate of a peer can name. */
const spiffeId = /^spiffe:\/\/[a-z0-9._-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;

type Names = Pick<PolicyWorld['settings'], 'trustDomain' | 'trustDomainAliases'>;

/** Peers around everything that policies say of them; undefined is nobody whom a certificate names. */
export function callersFor(
  mentions: readonly Mention[],
  { trustDomain, trustDomainAliases }: Names,
): readonly (string | undefined)[] {
  const principals = patternsOf(mentions, 'principals');
  const own = [trustDomain, ...trustDomainAliases];
  const domains = [
    ...own,
    ...samplesOf(patternsOf(mentions, 'trustDomains'), 'other'),
    ...principals.flatMap((each) => (each.includes('/') ? [each.slice(0, each.indexOf('/'))] : [])),
  ];
  const accounts = mentions.flatMap(({ field, patterns, namespace }) =>
    field === 'serviceAccounts'
      ? patterns.map((each) => (each.includes('/') ? each : `${namespace}/${each}`))
      : [],
  );
  const namespaces = samplesOf([
    ...patternsOf(mentions, 'namespaces'),
    ...accounts.map((each) => each.slice(0, each.indexOf('/'))),
  ]);
  const names = ['a', ...accounts.map((each) => each.slice(each.indexOf('/') + 1))];
  const written = samplesOf(principals, 'x').flatMap((each) => [
    each,
    ...own.map((domain) => each.replace(/^[^/]*/, domain)),
    `${trustDomain}/ns/${each}`,
    `${trustDomain}${each}`,
    `${trustDomain}/${each}`,
  ]);
  const made = domains.flatMap((domain) =>
    namespaces.flatMap((namespace) => names.map((name) => `${domain}/ns/${namespace}/sa/${name}`)),
  );
  const odd = [`${trustDomain}/x/ns/shop/sa/a`, `${trustDomain}/ns/shop/sa/a/more`, `${trustDomain}/job`];
  const ids = [...written, ...made, ...odd].map((each) => `spiffe://${each}`);
  return [undefined, ...new Set(ids.filter((each) => spiffeId.test(each)))];
}
