import { describe, expect, it } from 'vitest';
import { diagnosticsOf, hoverAt } from '../../../../../src/domain/policy/index.ts';
import { head, marked, world } from './marked.ts';

const told = (text: string, known = world) =>
  diagnosticsOf(text, 'T', known).map(
    ({ severity, rule, start, end, message }) =>
      `${severity} ${rule ?? ''} ${start.line}:${start.column}-${end.column} ${message}`,
  );

describe('diagnosticsOf', () => {
  it('tells what cannot be read, with its place', () => {
    expect(told(`${head()}  actoin: DENY\n`)).toEqual([
      'error  5:3-9 spec.actoin: unknown key; did you mean action?',
    ]);
    expect(told(`${head()}  rules: [{to: [{operation: {ports: [ "8o" ]}}]}]\n`)).toEqual([
      'error  5:39-43 spec.rules[0].to[0].operation.ports[0]: "8o" is no port; ports are single numbers from 0 to 65535, without wildcards and ranges',
    ]);
    // Once, though two readers say so.
    expect(told('a: {{\n')).toHaveLength(new Set(told('a: {{\n')).size);
    expect(told('kind: PolicyTest\n').some((line) => line.includes('apiVersion'))).toBe(true);
  });

  it('warns of what is surely not meant, by what there is', () => {
    const text = `${head()}  selector: {matchLabels: {app: none}}\n  rules: [{}]\n`;
    expect(told(text)).toEqual([
      expect.stringMatching(/^warning selector-matches-nothing 5:\d+-\d+ spec\.selector/),
    ]);
    expect(told(text.replace('none', 'orders'))).toEqual([]);
    // With what holds already: its own earlier form does not count.
    const other = `${head().replace('name: a', 'name: b')}  action: DENY\n  rules: [{}]\n`;
    expect(told(other)).toEqual([]);
  });

  it('tells of a text by itself where there is no world', () => {
    const alone = (text: string) => diagnosticsOf(text, 'T', undefined).map(({ rule }) => rule);
    expect(alone(`${head()}  selector: {matchLabels: {app: none}}\n  rules: [{}]\n`)).toEqual([]);
    expect(alone(`${head()}  action: CUSTOM\n  provider: {name: x}\n  rules: [{}]\n`)).toEqual([]);
    // Which trust domain is whose is not known.
    const caller = `${head()}  rules: [{from: [{source: {principals: ["mesh.example/ns/a/sa/b"]}}]}]\n`;
    expect(alone(caller)).toEqual([]);
    expect(diagnosticsOf(caller, 'T', world).map(({ rule }) => rule)).toEqual(['missing-trust-domain']);
    expect(alone(`${head()}  rules: [{to: [{operation: {methods: [get]}}]}]\n`)).toEqual([
      'method-in-lower-case',
    ]);
  });
});

describe('hoverAt', () => {
  const hover = (text: string, known: typeof world | undefined = world) =>
    hoverAt(...marked(text), known)?.text;

  it('says what a field means, also of its values', () => {
    expect(hover(`${head()}  act|ion: DENY\n`)).toMatch(/^\*\*spec\.action\*\*\n\nALLOW \(the default\)/);
    expect(hover(`${head()}  action: DE|NY\n`)).toMatch(/^\*\*spec\.action\*\*/);
    expect(hover(`${head()}  rules: [{to: [{operation: {paths: ["/|a"]}}]}]\n`)).toContain(
      'without their query',
    );
    expect(
      hover('apiVersion: citadel.dev/v1\nkind: PolicyTest\nspec: {cases: [{ex|pect: denied}]}\n'),
    ).toContain('does not get through');
    expect(hover(`${head()}  |\n`)).toBeUndefined();
  });

  it('says for whom a policy holds', () => {
    const selecting = (app: string) => `${head()}  sele|ctor: {matchLabels: {app: ${app}}}\n  rules: [{}]\n`;
    expect(hover(selecting('orders'))).toContain('Holds for 1 workload: `shop/orders`.');
    expect(hover(selecting('none'))).toContain('Holds for no workload that is there.');
    expect(
      hover(
        selecting('orders')
          .replace('sele|', 'sele')
          .replace('shop}', 'sh|op}')
          .replace('{matchLabels: {app: orders}}', '{}'),
      ),
    ).toContain('Holds for 2 workloads: `shop/orders`, `shop/web`.');
    expect(hoverAt(...marked(selecting('orders')), undefined)?.text).not.toContain('Holds');
  });

  it('says who is meant by an entry of a source', () => {
    const entry = (list: string, value: string) =>
      `${head()}  rules:\n    - from:\n        - source:\n            ${list}: ["|${value}"]\n`;
    expect(hover(entry('principals', 'example.org/ns/shop/*'))).toContain(
      'Stands for 2 workloads: `shop/orders`, `shop/web`.',
    );
    expect(hover(entry('notNamespaces', 'office'))).toContain('Stands for 1 workload: `office/mail`.');
    expect(hover(entry('serviceAccounts', 'web'))).toContain('Stands for 1 workload: `shop/web`.');
    expect(hover(entry('serviceAccounts', 'x/web'))).toContain('Stands for no workload that is there.');
  });

  it('says what a policy and a rule do, exactly', () => {
    const rules = `  selector: {matchLabels: {app: orders}}
  rules:
    - fr|om: [{source: {serviceAccounts: [web]}}]
      to: [{operation: {methods: [GET], paths: ["/orders/*"]}}]
    - from: [{source: {serviceAccounts: [web]}}]
      to: [{operation: {methods: [GET], paths: ["/orders/1"]}}]
`;
    const at = (place: string) => `${head()}${rules}`.replace('fr|om', 'from').replace(place, `|${place}`);
    expect(hover(at('from: '))).toContain(
      'What rule 0 does:\n\n- lets in: caller of service account shop/web, method GET, path /orders/*, but not ',
    );
    expect(hover(at('from: '))).toMatch(/; to test\/shop\/orders, port 8080$/);
    const second = `${head()}${rules}`.replace('fr|om', 'from').replace(/to: (?=.*orders\/1)/, '|to: ');
    expect(hover(second)).toContain('Without rule 1 all would be decided as it is.');
    // Of the others that hold too: what one of them denies no rule lets in.
    const denied = `${head().replace('name: a', 'name: b')}  action: DENY\n  rules: [{}]\n---\n${at('from: ')}`;
    expect(hover(denied)).toContain('Without rule 0 all would be decided as it is.');
    expect(hover(at('kind: '))).toMatch(/Holds for 1 workload.*\n\nWhat it does:\n\n- denies: /);
    expect(hover(at('from: '))).not.toContain('Holds for');
    expect(hover(`${head()}  act|ion: AUDIT\n  rules: [{to: [{operation: {methods: [GET]}}]}]\n`)).toContain(
      '- audited by rule 0 of shop/a: method GET; to ',
    );
    expect(hover(`${head()}  rul|es: [{frmo: []}]\n`)).not.toContain('Without');
  });
});
