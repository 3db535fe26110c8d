import {
  type Asked,
  type CaseResult,
  type Policy,
  type PolicyTest,
  readPolicies,
  readPolicyTests,
  runPolicyTest,
  withPolicies,
} from '../../../../../src/domain/policy/index.ts';

/** 2026-01-01, for the times in tokens. */
const now = new Date(Date.UTC(2026, 0, 1));

export interface Fields {
  readonly cases?: readonly object[];
  readonly [field: string]: unknown;
}

/** A test of the namespace `shop` with a workload `orders`, as its author would write it. */
function written(spec: Fields): string {
  return JSON.stringify({
    apiVersion: 'citadel.dev/v1',
    kind: 'PolicyTest',
    metadata: { name: 't', namespace: 'shop' },
    spec: {
      mesh: { trustDomain: 'example.org', rootNamespace: 'root', providers: ['ext'] },
      workloads: [{ name: 'orders' }],
      defaults: { from: 'web', to: 'orders', method: 'GET', path: '/' },
      ...spec,
    },
  });
}

function read(spec: Fields): PolicyTest {
  const { tests, problems } = readPolicyTests(written(spec), 'T');
  if (!tests[0]) throw new Error(JSON.stringify(problems));
  return tests[0];
}

/** @param policies as YAML */
export function run(
  policies: string,
  spec: Fields,
): {
  readonly cases: readonly CaseResult[];
  readonly asked: readonly Asked[];
  readonly policies: readonly Policy[];
} {
  const test = read(spec);
  const reading = readPolicies(policies, { source: 'P' });
  if (reading.problems.length > 0) throw new Error(JSON.stringify(reading.problems));
  if (test.world.kind !== 'inline') throw new Error('has no world');
  return {
    ...runPolicyTest(test, withPolicies(test.world.world, reading.policies), now),
    policies: reading.policies,
  };
}

/** Why a call that is expected to be allowed is not; undefined where it is. */
export function outcome(policies: string, call: object, spec: Fields = {}): readonly string[] {
  const { cases } = run(policies, { ...spec, cases: [{ name: 'c', expect: 'allowed', ...call }] });
  return cases.flatMap(({ failures }) => failures);
}

interface Short {
  readonly kind?: string;
  readonly namespace?: string;
}

/** A policy `shop/NAME` as one YAML document. */
export function policy(
  name: string,
  spec: object,
  { kind = 'AuthorizationPolicy', namespace = 'shop' }: Short = {},
): string {
  return `---\n${JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind,
    metadata: { name, namespace },
    spec,
  })}\n`;
}
