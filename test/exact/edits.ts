import type {
  AuthorizationPolicy,
  AuthorizationRule,
  OperationMatch,
  SourceMatch,
} from '../../src/domain/policy/index.ts';
import type { Random } from '../oracle/generate/index.ts';

type Policies = readonly AuthorizationPolicy[];
/** Another text, which may say the same or not; undefined where there is nothing to change. */
export type Edit = (random: Random, policies: Policies) => Policies | undefined;

/** What authors do to policies, meaning well or not: by name, for what a run came by. */
export const edits: Readonly<Record<string, Edit>> = {
  'policies in another order': (_, policies) => policies.toReversed(),
  'rules in another order': inPolicy((_, policy) => ({ ...policy, rules: policy.rules.toReversed() })),
  'a policy removed': (random, policies) => without(policies, random.int(policies.length)),
  'a rule removed': inPolicy((random, policy) => ({
    ...policy,
    rules: without(policy.rules, random.int(policy.rules.length)),
  })),
  'a rule twice': inPolicy((random, policy) => ({
    ...policy,
    rules: [...policy.rules, random.pick(policy.rules)],
  })),
  'an empty rule': inPolicy((_, policy) => ({
    ...policy,
    rules: [...policy.rules, { from: [], to: [], when: [] }],
  })),
  'a policy split by its rules': (random, policies) => {
    const at = random.int(policies.length);
    const policy = policies[at];
    if (!policy || policy.rules.length < 2) return undefined;
    const parts = policy.rules.map((rule, index) => ({
      ...policy,
      meta: { ...policy.meta, name: `${policy.meta.name}-${index}` },
      rules: [rule],
    }));
    return policies.toSpliced(at, 1, ...parts);
  },
  'another action': inPolicy((random, policy) => ({
    ...policy,
    action: random.pick(['ALLOW', 'DENY', 'AUDIT']),
    provider: undefined,
  })),
  'another provider': inPolicy((random, policy) =>
    policy.action === 'CUSTOM' ? { ...policy, provider: random.pick(['one', 'two', 'nobody']) } : undefined,
  ),
  'a dry run': inPolicy((_, policy) => ({ ...policy, dryRun: !policy.dryRun })),
  'a source removed': inRule((random, rule) => ({
    ...rule,
    from: without(rule.from, random.int(rule.from.length)),
  })),
  'an operation removed': inRule((random, rule) => ({
    ...rule,
    to: without(rule.to, random.int(rule.to.length)),
  })),
  'a condition removed': inRule((random, rule) => ({
    ...rule,
    when: without(rule.when, random.int(rule.when.length)),
  })),
  'a value removed': inList((random, list) =>
    list.length > 1 ? without(list, random.int(list.length)) : undefined,
  ),
  'a value twice': inList((random, list) => [...list, random.pick(list)]),
  'a value opened': inList((random, list) =>
    changed(random, list, (text) => `${text.replace(/\*$/, '').slice(0, -1)}*`),
  ),
  'a value closed': inList((random, list) => changed(random, list, (text) => text.replaceAll('*', ''))),
  'a letter more': inList((random, list) => changed(random, list, (text) => text.replace(/(\w)/, '$1x'))),
  'a value beside its prefix': inList((random, list) => {
    const prefix = list.find((text) => text.endsWith('*') && text.length > 1);
    return prefix === undefined ? undefined : [...list, `${prefix.slice(0, -1)}${random.pick(['z', 'z*'])}`];
  }),
  'a block in its halves': inList((_, list) => {
    const at = list.findIndex((text) => /^10\.0\.0\.0\/8$/.test(text));
    return at < 0 ? undefined : list.toSpliced(at, 1, '10.0.0.0/9', '10.128.0.0/9');
  }),
  'a block bit more': inList((random, list) =>
    changed(random, list, (text) =>
      text.replace(/\/(\d+)$/, (_, length: string) => `/${Math.max(0, Number(length) - 1)}`),
    ),
  ),
  'an alternative in a rule of its own': inPolicy((random, policy) => {
    const at = random.int(policy.rules.length);
    const rule = policy.rules[at];
    const part = random.pick(['from', 'to'] as const);
    if (!rule || rule[part].length < 2) return undefined;
    const alone = rule[part].map((one) => ({ ...rule, [part]: [one] }));
    return { ...policy, rules: policy.rules.toSpliced(at, 1, ...alone) };
  }),
  'values and what they exclude exchanged': inRule((random, rule) => {
    const part = random.pick(['from', 'to'] as const);
    return { ...rule, [part]: rule[part].map(exchanged) };
  }),
  'a condition turned round': inRule((_, rule) => ({
    ...rule,
    when: rule.when.map(({ key, values, notValues }) => ({ key, values: notValues, notValues: values })),
  })),
  'for some workloads alone': inPolicy((_, policy) => ({
    ...policy,
    selector: policy.selector ? undefined : { app: 'orders' },
  })),
  'for the whole mesh': inPolicy((_, policy) => ({ ...policy, meta: { ...policy.meta, namespace: 'root' } })),
};

/** Edits that say the same by what the language is, whatever they meet. */
export const harmless: readonly string[] = [
  'policies in another order',
  'rules in another order',
  'a rule twice',
  'a policy split by its rules',
  'a value twice',
  'a block in its halves',
  'an alternative in a rule of its own',
];

function without<T>(list: readonly T[], at: number): readonly T[] {
  return list.toSpliced(at, 1);
}

function inPolicy(
  change: (random: Random, policy: AuthorizationPolicy) => AuthorizationPolicy | undefined,
): Edit {
  return (random, policies) => {
    const at = random.int(policies.length);
    const policy = policies[at];
    const other = policy && policy.rules.length > 0 ? change(random, policy) : undefined;
    return other && policies.with(at, other);
  };
}

function inRule(change: (random: Random, rule: AuthorizationRule) => AuthorizationRule | undefined): Edit {
  return inPolicy((random, policy) => {
    const at = random.int(policy.rules.length);
    const rule = policy.rules[at];
    const other = rule && change(random, rule);
    return other && { ...policy, rules: policy.rules.with(at, other) };
  });
}

type List = readonly string[];

/** One list of one rule, of whatever kind. */
function inList(change: (random: Random, list: List) => List | undefined): Edit {
  return inRule((random, rule) => {
    const places = (['from', 'to', 'when'] as const).flatMap((part) =>
      rule[part].flatMap((lists, at) =>
        Object.entries(lists).flatMap(([name, list]: [string, unknown]) =>
          Array.isArray(list) && list.length > 0 ? [{ part, at, name }] : [],
        ),
      ),
    );
    if (places.length === 0) return undefined;
    const { part, at, name } = random.pick(places);
    const lists = new Map<string, List>(Object.entries(rule[part][at] ?? {}));
    const other = change(random, lists.get(name) ?? []);
    // One list of what stands there, in the place of another.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return other && { ...rule, [part]: rule[part].with(at, { ...rule[part][at], [name]: other } as never) };
  });
}

function changed(random: Random, list: List, change: (text: string) => string): List {
  const at = random.int(list.length);
  return list.with(at, change(list[at] ?? ''));
}

function exchanged(lists: SourceMatch | OperationMatch): object {
  const by = new Map<string, List>(Object.entries(lists));
  const negated = (name: string) => `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return Object.fromEntries(
    [...by.keys()]
      .filter((name) => !name.startsWith('not'))
      .flatMap((name) => [
        [name, by.get(negated(name)) ?? []],
        [negated(name), by.get(name) ?? []],
      ]),
  );
}
