/** Requests that match the last rule of an ALLOW, and no DENY: every rule is looked at. */
export const calledPath = '/orders/1';
export const caller = 'web';

/**
 * So many rules for `orders`, half of them of a DENY and half of an ALLOW, each of a caller, a method and a path.
 * @param candidate whether it denies one path otherwise, which nobody asks for
 */
export function policiesOf(rules: number, candidate: boolean): string {
  const half = Math.floor(rules / 2);
  const others = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => rule(`${prefix}-${index}`, `/${prefix}-${index}/*`));
  const changed = candidate ? [rule('nobody', '/changed/*')] : [rule('nobody', '/unchanged/*')];
  return [
    policy('denied', 'DENY', [...others('denied', half - 1), ...changed]),
    policy('allowed', 'ALLOW', [...others('allowed', rules - half - 1), rule(caller, '/orders/*')]),
  ].join('---\n');
}

function policy(name: string, action: string, rules: readonly object[]): string {
  return `${JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { namespace: 'shop', name },
    spec: { selector: { matchLabels: { app: 'orders' } }, action, rules },
  })}\n`;
}

function rule(serviceAccount: string, path: string): object {
  return {
    from: [{ source: { serviceAccounts: [serviceAccount] } }],
    to: [{ operation: { methods: ['GET'], paths: [path] } }],
  };
}
