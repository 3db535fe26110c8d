import { expect, test } from 'vitest';
import { templateExpressions } from '../../../../src/adapters/envoy/authorization/templates.ts';

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
