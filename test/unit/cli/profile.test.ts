import { expect, test } from 'vitest';
import { endedAt } from '../../../src/cli/profile.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';

test('a certificate has ended after its last second, and not before', async () => {
  const chain = (await TestAuthority.create('a.test')).root.toString('pem');
  const end = endedAt(chain, Number.MAX_SAFE_INTEGER);
  if (!end) throw new Error('it never ends');
  expect(endedAt(chain, end.getTime())).toBeUndefined();
  expect(endedAt(chain, end.getTime() + 1)).toEqual(end);
  expect(endedAt('damaged', Number.MAX_SAFE_INTEGER)).toBeUndefined();
});
