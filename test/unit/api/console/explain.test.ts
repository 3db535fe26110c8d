import { describe, expect, it } from 'vitest';
import { explainQuestion } from '../../../../src/api/console/explain.ts';
import type { ConsoleQuestion } from '../../../../src/wire/console.ts';
import { mesh, workload } from '../../domain/policy/mesh.ts';

const world = mesh([workload('shop/orders')]);
const services = {
  policyWorld: () => world,
  policies: { restoring: () => Promise.reject(new Error('nothing is restored')) },
};
const question: ConsoleQuestion = {
  text: '',
  remove: [],
  from: 'shop/web',
  to: 'shop/orders',
  method: 'GET',
  path: '/',
  host: '',
  headers: '',
  token: '',
  ip: '',
};
const ask = (changes: Partial<ConsoleQuestion>) =>
  explainQuestion(services, { ...question, ...changes }, new Date());

describe('a question of the console', () => {
  it('is explained', async () => {
    expect(await ask({ ip: '10.1.2.3', headers: 'x-client=v2' })).toMatchObject({ verdict: 'allow' });
  });

  it.each<[Partial<ConsoleQuestion>, string]>([
    [{ ip: '10.1.2' }, '"10.1.2" is no IP address'],
    [{ method: 'GE T' }, '"GE T" can be no HTTP method'],
    [{ headers: 'x y=z' }, '"x y" can be no name of a header'],
    [{ host: 'a b' }, '"a b" can be no name of a host'],
  ])('is refused where nobody can send it: %o', async (changes, told) => {
    await expect(ask(changes)).rejects.toThrow(told);
  });
});
