import type { AuthorizationPolicy, AuthorizationRule } from '../../src/domain/policy/index.ts';
import type { Coverage } from './generate/index.ts';
import type { Outcome } from './tally.ts';

/** What decided, and by which fields, for the coverage. */
export function countDecided(
  coverage: Coverage,
  what: 'HTTP request' | 'connection',
  policies: readonly AuthorizationPolicy[],
  { verdict, step, by, audit, dryRun }: Outcome,
): void {
  coverage.count(what, `${verdict} by ${step}${by === undefined ? ', no rule' : ''}`);
  if (audit !== undefined) coverage.count('matched beside', 'AUDIT');
  for (const { action } of dryRun) coverage.count('matched beside', `${action} dry-run`);
  const policy = policies.find(({ meta }) => meta.namespace === by?.namespace && meta.name === by.name);
  const rule = by && policy?.rules[by.rule];
  for (const field of rule ? fieldsOf(rule) : []) coverage.count('field of the deciding rule', field);
}

function fieldsOf({ from, to, when }: AuthorizationRule): readonly string[] {
  const used = [...from, ...to].flatMap((lists) =>
    Object.entries(lists).flatMap(([name, list]: [string, readonly string[]]) =>
      list.length === 0
        ? []
        : [name.replace(/^not([A-Z])/, (_, first: string) => `not ${first.toLowerCase()}`)],
    ),
  );
  const conditions = when.flatMap(({ key, values, notValues }) => [
    ...(values.length > 0 ? [kindOf(key)] : []),
    ...(notValues.length > 0 ? [`not ${kindOf(key)}`] : []),
  ]);
  return [...used, ...conditions];
}

function kindOf(key: string): string {
  return `${key.replace(/\[.*$/, '')}${key.includes('][') ? ' nested' : ''}`;
}
