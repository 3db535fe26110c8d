import { describe, expect, it } from 'vitest';
import { completionsAt } from '../../../../../src/domain/policy/index.ts';
import { head, marked, world } from './marked.ts';

const labels = (text: string, known = world) =>
  completionsAt(...marked(text), known).map(({ label }) => label);

const source = `${head()}  rules:\n    - from:\n        - source:\n`;
const test =
  'apiVersion: citadel.dev/v1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n  cases:\n    - name: a\n';

describe('completionsAt', () => {
  it.each<[string, string, readonly string[]]>([
    ['the head of a document', '|', ['apiVersion', 'kind', 'metadata', 'spec']],
    [
      'kinds',
      'kind: |\n',
      ['AuthorizationPolicy', 'PeerAuthentication', 'PolicyTest', 'RequestAuthentication'],
    ],
    [
      'fields that are not there yet',
      `${head()}  action: DENY\n  |\n`,
      ['selector', 'targetRef', 'targetRefs', 'provider', 'rules'],
    ],
    ['fields that hold what is written', `${head()}  ac|\n`, ['action']],
    ['fields of what stands in a list', `${head()}  rules:\n    - |\n`, ['from', 'to', 'when']],
    ['fields in braces', `${head('PeerAuthentication')}  mtls: { | }\n`, ['mode']],
    ['known values', `${head()}  action: |\n`, ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']],
    [
      'known values further on',
      `${head('PeerAuthentication')}  mtls: { mode: S| }\n`,
      ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'].filter((each) => each.includes('S')),
    ],
    ['namespaces', 'kind: AuthorizationPolicy\nmetadata:\n  namespace: |\n', ['office', 'shop']],
    ['namespaces of callers', `${source}            namespaces: [|]\n`, ['office', 'shop']],
    ['what is not in the list yet', `${source}            namespaces: [shop, |]\n`, ['office']],
    [
      'what is in no list of exceptions yet',
      `${source}            notNamespaces:\n              - shop\n              - |\n`,
      ['office'],
    ],
    ['service accounts', `${source}            serviceAccounts: [|]\n`, ['office/mailer', 'orders', 'web']],
    [
      'principals',
      `${source}            principals: ["example.org/ns/o|"]\n`,
      ['example.org/ns/office/sa/mailer'],
    ],
    ['trust domains', `${source}            trustDomains: [|]\n`, ['example.org']],
    [
      'hosts',
      `${head()}  rules:\n    - to:\n        - operation: {hosts: [|]}\n`,
      ['orders.shop.svc.cluster.local'],
    ],
    ['ports', `${head()}  rules:\n    - to:\n        - operation: {ports: [|]}\n`, ['8080']],
    [
      'methods',
      `${head()}  rules:\n    - to:\n        - operation: {methods: [P|]}\n`,
      ['OPTIONS', 'PATCH', 'POST', 'PUT'],
    ],
    ['labels', `${head()}  selector:\n    matchLabels:\n      |\n`, ['app', 'tier']],
    ['labels beside others', `${head()}  selector:\n    matchLabels:\n      app: web\n      |\n`, ['tier']],
    ['values of labels', `${head()}  selector:\n    matchLabels:\n      app: |\n`, ['orders', 'web']],
    ['providers', `${head()}  action: CUSTOM\n  provider: {name: |}\n`, ['ext']],
    ['services', `${head()}  targetRefs:\n    - kind: Service\n      name: |\n`, ['orders']],
    [
      'keys of conditions',
      `${head()}  rules:\n    - when:\n        - key: request.auth.|\n`,
      [
        'request.auth.audiences',
        'request.auth.claims[NAME]',
        'request.auth.presenter',
        'request.auth.principal',
      ],
    ],
    [
      'values of a condition',
      `${head()}  rules:\n    - when:\n        - key: source.namespace\n          values: [|]\n`,
      ['office', 'shop'],
    ],
    ['fields of a test', `${test}      ex|\n`, ['expect']],
    ['expectations', `${test}      expect: |\n`, ['allowed', 'denied', 'unauthorized', 'refused']],
    ['callers', `${test}      from: shop/|\n`, ['shop/orders', 'shop/web']],
    ['callees', `${test}      to: orders|\n`, ['shop/orders:80', 'shop/orders:8080']],
    ['the kind of another document', `${head()}  action: DENY\n---\nkind: Pe|\n`, ['PeerAuthentication']],
    ['nothing in a comment', `${head()}  # a|\n`, []],
    ['nothing where nothing may stand', `${head()}  action: DENY\n  nothing:\n    - |\n`, []],
  ])('knows %s', (_, text, expected) => {
    expect(labels(text)).toEqual(expected);
  });

  it('puts in text that is YAML, in the place of what is written', () => {
    expect(
      completionsAt(...marked(`${head()}  rules:\n    - to:\n        - operation: {ports: [80|]}\n`), world),
    ).toMatchObject([
      { kind: 'name', text: '"8080"', start: { line: 7, column: 31 }, end: { line: 7, column: 33 } },
    ]);
    expect(
      completionsAt(
        ...marked(`${head()}  rules:\n    - to:\n        - operation: {ports: ["80|"]}\n`),
        world,
      ),
    ).toMatchObject([{ text: '8080' }]);
    expect(completionsAt(...marked(`${head()}  ac|\n`), world)).toMatchObject([
      { kind: 'field', text: 'action: ', help: expect.stringContaining('the default') },
    ]);
  });

  it('knows the language without a world, and no names', () => {
    const none = (text: string) => completionsAt(...marked(text), undefined).map(({ label }) => label);
    expect(none(`${head()}  act|\n`)).toEqual(['action']);
    expect(none(`${source}            namespaces: [|]\n`)).toEqual([]);
  });
});
