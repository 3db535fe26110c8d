import type {
  AuthorizationAction,
  AuthorizationPolicy,
  AuthorizationRule,
  Condition,
  OperationMatch,
  SourceMatch,
} from '../../../src/domain/policy/index.ts';
import { Bases } from './bases.ts';
import type { Coverage } from './coverage.ts';
import { conditionFields, type FieldMaker, operationFields, sourceFields } from './fields.ts';
import type { Random } from './random.ts';
import { missingProvider, namespaces, providers } from './words.ts';

export interface PolicySet {
  readonly policies: readonly AuthorizationPolicy[];
  readonly bases: Bases;
}

/**
 * The policies of one workload. On connections a DENY matches more and an ALLOW less: there are fewer of the one and more
 * of the other, so that about as many are let in.
 */
export function policySet(
  { random, ports, coverage }: Omit<Making, 'bases' | 'weights'>,
  layer: keyof typeof weights,
): PolicySet {
  const bases = new Bases();
  const policies = random
    .list(1, 4, () => random.int(1_000_000))
    .map((number, index) =>
      policy(`p${index}-${number % 97}`, { random, bases, ports, coverage, weights: weights[layer] }),
    );
  return { policies, bases };
}

const weights = {
  http: [
    [9, 'ALLOW'],
    [6, 'DENY'],
    [2, 'AUDIT'],
    [3, 'CUSTOM'],
  ],
  tcp: [
    [10, 'ALLOW'],
    [2, 'DENY'],
    [3, 'AUDIT'],
    [1, 'CUSTOM'],
  ],
} as const satisfies Readonly<Record<string, readonly (readonly [number, AuthorizationAction])[]>>;

interface Making {
  readonly weights: readonly (readonly [number, AuthorizationAction])[];
  readonly random: Random;
  readonly bases: Bases;
  readonly ports: readonly string[];
  readonly coverage: Coverage;
}

function policy(name: string, making: Making): AuthorizationPolicy {
  const { random } = making;
  const action = random.weighted(making.weights);
  const dryRun = random.chance(0.12);
  making.coverage.count('action', `${action}${dryRun ? ' dry-run' : ''}`);
  const rules = random.chance(0.06) ? [] : random.list(1, 3, () => rule(making));
  if (rules.length === 0) making.coverage.count('rule', 'no rules');
  return {
    kind: 'AuthorizationPolicy',
    meta: {
      namespace: random.pick(namespaces.slice(0, 3)),
      name,
      generation: 1,
      origin: { source: 'oracle' },
    },
    selector: undefined,
    targetRefs: [],
    action,
    provider:
      action === 'CUSTOM'
        ? random.pick([...Object.keys(providers), ...Object.keys(providers), missingProvider])
        : undefined,
    dryRun,
    rules,
  };
}

function rule(making: Making): AuthorizationRule {
  const { random, coverage } = making;
  const some = (odds: number, most: number) => (random.chance(odds) ? 1 + random.int(most) : 0);
  const from = Array.from(
    { length: some(0.5, 2) },
    // The fields are those of the kind, by name.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    () => lists(making, sourceFields) as unknown as SourceMatch,
  );
  const to = Array.from(
    { length: some(0.5, 2) },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    () => lists(making, operationFields) as unknown as OperationMatch,
  );
  const when = Array.from({ length: some(0.5, 2) }, () => condition(making));
  const parts = [from, to, when].filter((part) => part.length > 0).length;
  coverage.count('rule', ['empty rule', 'one part', 'two parts', 'three parts'][parts] ?? '');
  return { from, to, when };
}

/** One or two fields of all, the others empty. */
function lists(
  making: Making,
  fields: Readonly<Record<string, FieldMaker>>,
): Record<string, readonly string[]> {
  const { random } = making;
  const names = Object.keys(fields);
  const used = new Set([random.pick(names), ...(random.chance(0.25) ? [random.pick(names)] : [])]);
  const result: Record<string, readonly string[]> = {};
  for (const [name, maker] of Object.entries(fields)) {
    const not = `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const { values, notValues } = used.has(name)
      ? filled(making, name, maker)
      : { values: [], notValues: [] };
    result[name] = values;
    result[not] = notValues;
  }
  return result;
}

function condition(making: Making): Condition {
  const { random } = making;
  const { key, kind, maker } = random.pick(conditionFields)(random);
  return { key, ...filled(making, kind, maker) };
}

function filled(making: Making, name: string, maker: FieldMaker) {
  const { random, coverage } = making;
  const how = random.weighted<'values' | 'notValues' | 'both'>([
    [6, 'values'],
    [3, 'notValues'],
    [1, 'both'],
  ]);
  const draw = (sign: string) => () => {
    const { text, shape } = maker.make(making);
    coverage.count(`field ${name}`, `${sign}${shape}`);
    coverage.count('field', `${sign}${name}`);
    coverage.count('operator', `${sign}${shape}`);
    return text;
  };
  return {
    values: how === 'notValues' ? [] : random.list(1, 3, draw('')),
    notValues: how === 'values' ? [] : random.list(1, 2, draw('not ')),
  };
}
