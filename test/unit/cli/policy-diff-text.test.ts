import { describe, expect, test } from 'vitest';
import { comparisonText } from '../../../src/cli/commands/policy-diff-text.ts';
import { compareWorlds, type Policy, type PolicyWorld } from '../../../src/domain/policy/index.ts';
import { allow, authorization, to, when, worldOf } from '../domain/policy/exact/worlds.ts';
import { policy, ports, workload } from '../domain/policy/mesh.ts';

const http = ports([8080, 'http']);

function world(policies: readonly Policy[], own = http): PolicyWorld {
  const cart = workload('shop/cart', { ports: own });
  return { ...worldOf(policies, { providers: ['asker'] }), workloads: new Map([[cart.id, cart]]) };
}

const told = (before: PolicyWorld, after: PolicyWorld) => comparisonText(compareWorlds(before, after), true);

describe('what a person is told of a comparison', () => {
  test('that a token is asked for in vain, beside that nothing changes', () => {
    const text = told(world([allow()]), world([allow(when('request.auth.claims[a]', 'x'))]));
    expect(text).toContain('No change: whatever is asked is decided as before.');
    expect(text).toContain(
      'No RequestAuthentication holds for test/shop/cart, port 8080: no token is looked at there, and what AuthorizationPolicy/shop/allow asks of one is asked in vain.',
    );
  });

  test('what arrives where a port is no longer read as HTTP, and what an authorizer says of it', () => {
    const policies = [
      allow(to({ methods: ['GET'] }), {}),
      authorization('CUSTOM', [{}], { provider: { name: 'asker' } }),
    ];
    const text = told(world(policies), world(policies, ports([8080, 'tcp'])));
    expect(text).toContain(' (a connection that carries no request)\n');
    expect(text).toContain(' (a request, of which after the connection alone is seen)\n');
    expect(text).toContain('before  refused: it is no request, and the port takes no other bytes');
    expect(text).toMatch(
      /such as from .*, authorizer asker says \w+, authorizer asker says \w+ of the connection/,
    );
    expect(text).not.toContain('citadel policy explain');
  });

  test('what is audited otherwise, beside that nothing is decided otherwise', () => {
    const audit = authorization('AUDIT', [when('request.headers[x-a]', 'gold')]);
    expect(told(world([]), world([audit]))).toMatch(
      /^Becomes audited, which decides nothing:\n {2}header x-a gold\n.*\n {4}after {3}audited by rule 0 of shop\/audit\n.*\n\nNo change: whatever/,
    );
    const tried = policy(
      'shop/tried',
      { action: 'DENY', rules: [{}] },
      { annotations: { 'istio.io/dry-run': 'true' } },
    );
    const text = told(world([tried]), world([]));
    expect(text).toContain('A dry run no longer matches, which decides nothing:\n  every request\n');
    expect(text).toContain('    before  matched by rule 0 of shop/tried, a dry run of DENY\n');
  });

  test('how many ports are on one side alone', () => {
    expect(told(world([]), world([], ports([8080, 'http'], [9000, 'tcp'])))).toContain(
      'Not compared: 1 port that a proxy takes on one side alone.',
    );
  });
});
