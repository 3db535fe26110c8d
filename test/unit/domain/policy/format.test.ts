import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPolicies, policyHash, readPolicies } from '../../../../src/domain/policy/index.ts';

const formatted = (text: string) => formatPolicies(text, 'F').text ?? 'not formatted';

describe('formatPolicies', () => {
  it('orders keys as the reference does, labels and ports by themselves, and keeps comments with what they are about', () => {
    const given = `# Who may call the shop.

# the kind
kind: AuthorizationPolicy   # of Istio
apiVersion: security.istio.io/v1

metadata:
    namespace: shop
    labels: {b: x, a: y}
    # its name
    name: web
spec: # what it says
  # the rules
  rules:
  # the first
  - to:
      - operation:
          # only reading
          methods: ["GET", 'HEAD']
          hosts: [a.example]
    # from the front
    from: [{source: {principals: [x]}}]
  action: ALLOW
`;
    expect(formatted(given)).toBe(`# Who may call the shop.

apiVersion: security.istio.io/v1
# the kind
kind: AuthorizationPolicy # of Istio

metadata:
  # its name
  name: web
  namespace: shop
  labels: {a: y, b: x}
spec:
  # what it says
  action: ALLOW
  # the rules
  rules:
    # the first
    # from the front
    - from: [{source: {principals: [x]}}]
      to:
        - operation:
            hosts: [a.example]
            # only reading
            methods: ["GET", 'HEAD']
`);
  });

  it('writes several documents, and leaves out those that hold nothing', () => {
    expect(formatted('kind: PeerAuthentication\napiVersion: a\n---\n---\n# kept\n---\nb: 1\na: 2\n')).toBe(
      'apiVersion: a\nkind: PeerAuthentication\n---\n# kept\n---\nb: 1\na: 2\n',
    );
  });

  it('orders ports as numbers, and the objects of a list', () => {
    expect(
      formatted(
        'kind: List\nitems:\n  - spec: {portLevelMtls: {8080: {}, 90: {}}}\n    kind: PeerAuthentication\n',
      ),
    ).toBe(
      'kind: List\nitems:\n  - kind: PeerAuthentication\n    spec: {portLevelMtls: {90: {}, 8080: {}}}\n',
    );
  });

  it('orders nothing where an alias needs its anchor before it', () => {
    const text = 'spec: {selector: &x {}}\nkind: PeerAuthentication\nstatus: *x\n';
    expect(formatted(text)).toBe(text);
  });

  it('keeps what it does not know', () => {
    expect(formatted('kind: PeerAuthentication\nspec:\n  x: 1\n  mtls: {}\n')).toBe(
      'kind: PeerAuthentication\nspec:\n  mtls: {}\n  x: 1\n',
    );
  });

  it('refuses what is not YAML, with its place', () => {
    expect(formatPolicies('a: 1\n---\nb: [\n', 'F')).toMatchObject({
      text: undefined,
      problems: [{ source: 'F', line: 4 }],
    });
  });

  const comment = fc.constantFrom('', '# c', '# d');
  const line = (text: string) =>
    fc
      .tuple(comment, comment)
      .map(([before, after]) => `${before && `${before}\n`}${text}${after && ` ${after}`}\n`);
  const indent = (text: string, by: string) => text.replaceAll(/^(?=.)/gm, by);
  const shuffled = (...parts: readonly fc.Arbitrary<string>[]) =>
    fc
      .tuple(...parts)
      .chain((texts) => fc.shuffledSubarray(texts, { minLength: 1 }))
      .map((texts) => texts.join(''));
  const source = fc
    .tuple(line('from:'), line('- source:'), shuffled(line('principals: [b, a]'), line('ipBlocks: [::1]')))
    .map(([a, b, c]) => a + indent(b + indent(c, '    '), '  '));
  const rule = shuffled(
    source,
    line('when: [{values: [::1], key: source.ip}]'),
    line('to: [{operation: {ports: ["80"], hosts: [x]}}]'),
  );
  const spec = fc
    .tuple(
      line('spec:'),
      shuffled(
        line('action: DENY'),
        line('selector: {matchLabels: {b: x, a: y}}'),
        fc.tuple(line('rules:'), rule).map(([a, b]) => `${a}  -\n${indent(b, '    ')}`),
      ),
    )
    .map(([a, b]) => a + indent(b, '  '));
  const document = fc
    .tuple(
      comment,
      shuffled(
        line('kind: AuthorizationPolicy'),
        line('apiVersion: security.istio.io/v1'),
        line('metadata: {namespace: b, name: a}'),
        spec,
      ),
    )
    .map(([head, body]) => `${head && `${head}\n\n`}${body}`);

  it('is done at once, keeps every comment, and changes nothing that is said', () => {
    fc.assert(
      fc.property(document, (text) => {
        const once = formatted(text);
        expect(formatted(once)).toBe(once);
        expect(once.match(/# [cd]/g)?.toSorted()).toEqual(text.match(/# [cd]/g)?.toSorted());
        const said = (given: string) => {
          const { policies, problems } = readPolicies(given, { source: 'F' });
          return [
            policies.map(policyHash),
            new Set(problems.map(({ path, message }) => `${path}: ${message}`)),
          ];
        };
        expect(said(once)).toEqual(said(text));
      }),
      { numRuns: 150 },
    );
  });
});
