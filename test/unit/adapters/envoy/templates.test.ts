import { expect, test } from 'vitest';
import { templateExpressions } from '../../../../src/adapters/envoy/authorization/templates.ts';
import { readPolicy } from '../../../../src/domain/policy/index.ts';

const matches = (template: string, path: string) =>
  templateExpressions(template).every((each) => new RegExp(`^(?:${each})$`).test(path));

test.each([
  ['/a/{*}/b', '/a/x/b', true],
  ['/a/{*}/b', '/a/x/y/b', false],
  ['/a/{**}', '/a/', true],
  ['/a.b/{*}', '/aXb/c', false],
  ['/a/{**}/b', '/a/x/y/b', true],
])('%s against %s', (template, path, expected) => {
  expect(matches(template, path)).toBe(expected);
});

test('a long template is several expressions, each as short as Envoy takes it', () => {
  const names = ['organizations', 'projects', 'environments', 'deployments', 'revisions', 'instances'];
  const template = `/api/v1/${names.map((name) => `${name}/{*}`).join('/')}/logs/{**}`;
  const path = `/api/v1/${names.map((name) => `${name}/7`).join('/')}/logs/today/x`;
  const expressions = templateExpressions(template);
  expect(expressions.length).toBeGreaterThan(1);
  for (const each of expressions) {
    expect(each.replaceAll('[!-.0-~]+', '....').length).toBeLessThan(98);
  }
  expect(matches(template, path)).toBe(true);
  for (const name of names) expect(matches(template, path.replace(name, 'else'))).toBe(false);
  expect(matches(template, path.replace('/7/', '/7/7/'))).toBe(false);
  expect(matches(template, path.replace('/logs/', '/log/'))).toBe(false);
});

/** Instructions: a letter is one, an open segment four. */
const cost = (expression: string) => expression.replaceAll('[!-.0-~]+', '....').replaceAll('\\', '').length;
const isRead = (path: string) =>
  readPolicy(
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'a', namespace: 'a' },
      spec: { rules: [{ to: [{ operation: { paths: [path] } }] }] },
    },
    { source: 'T' },
  ).problems.length === 0;

test('whatever template is read becomes expressions that Envoy takes', () => {
  let read = 0;
  for (let segments = 1; segments < 40; segments++) {
    for (let length = 1; length < 120; length++) {
      const literal = (n: number) => '.'.repeat(n).padStart(length, 'a');
      const template = `/${[...Array.from({ length: segments }, (_, n) => (n % 2 ? '{*}' : literal(n))), '{**}'].join('/')}`;
      if (!isRead(template)) continue;
      read += 1;
      for (const each of templateExpressions(template)) expect(cost(each)).toBeLessThan(96);
    }
  }
  expect(read).toBeGreaterThan(400);
});
