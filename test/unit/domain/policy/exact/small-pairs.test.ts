import { expect, test } from 'vitest';
import { compareWorlds } from '../../../../../src/domain/policy/index.ts';
import { believing } from '../mesh.ts';
import { allow, type Rule, worldOf } from './worlds.ts';

const unless = (key: string, ...notValues: string[]) => ({ key, notValues });

const scope = 'request.auth.claims[scope]';
const port = (...values: string[]) => ({ key: 'destination.port', values });
const calls = (operation: Rule, ...conditions: readonly Rule[]): Rule => ({
  to: [{ operation }],
  ...(conditions.length > 0 && { when: conditions }),
});

const before = allow(
  calls({ notPaths: ['/{*}/b'] }, unless(scope, '*read'), unless('destination.port', '8080')),
  calls({ paths: ['/{*}'], notPaths: ['/A/'] }, unless(scope, '*', '*ead')),
  calls({ notPaths: ['/a*'] }, unless(scope, '*', '*ead')),
  calls({ notPaths: ['/{*}/b', '/ab'] }, unless(scope, 'READ', '*d write*'), port('8080')),
);
const after = allow(
  calls({ paths: ['/a/{**}'], notPaths: ['/a/{*}/b', '*a'] }),
  calls({ paths: ['/a/{*}'] }),
  calls({ paths: ['/{*}/b', '/'] }, unless(scope, 're*', '*ead')),
  calls({ notPaths: ['/{*}/{**}'] }, { key: scope, values: ['re*'], notValues: ['read'] }),
  calls({ notPaths: ['/a/*', '/{*}'] }, { key: scope, values: ['re*'], notValues: ['read'] }, port('7000')),
);

test('few steps are enough for small policies that ask a path in many ways, and other things beside it', () => {
  const tokens = believing('shop/tokens');
  const found = compareWorlds(worldOf([before, tokens]), worldOf([after, tokens]), { stepsOfGroup: 8000 });
  expect(found.undecided).toEqual([]);
  expect(found.outcome).toBe('different');
});
