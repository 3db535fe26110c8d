import {
  formatPolicyProblem,
  type Policy,
  type PolicyKind,
  readPolicies,
  readPolicy,
} from '../../../../../src/domain/policy/index.ts';

/** An object of Kubernetes around a spec. */
export function object(kind: PolicyKind, spec: unknown, metadata: object = {}): object {
  return {
    apiVersion: 'security.istio.io/v1',
    kind,
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec,
  };
}

/** What is said against a spec: `PATH: MESSAGE; MEND`, one a line; empty when nothing is. */
export function faults(kind: PolicyKind, spec: unknown, metadata: object = {}): string {
  const { problems } = readPolicy(object(kind, spec, metadata), { source: 'T' });
  return problems.map((one) => formatPolicyProblem(one).replace(`T: ${kind}/shop/web: `, '')).join('\n');
}

export function sound<K extends PolicyKind>(
  kind: K,
  spec: unknown,
  metadata: object = {},
): Extract<Policy, { kind: K }> {
  const { policy, problems } = readPolicy(object(kind, spec, metadata), { source: 'T' });
  if (policy?.kind !== kind) throw new Error(problems.map(formatPolicyProblem).join('\n'));
  // What was just checked, which the type cannot follow.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return policy as Extract<Policy, { kind: K }>;
}

/** What is said against a text: `F:LINE:COLUMN: ...`. */
export function problemsIn(text: string): readonly string[] {
  return readPolicies(text, { source: 'F' }).problems.map(formatPolicyProblem);
}
