import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isPolicyKind,
  policyJsonSchema,
  policyKinds,
  readPolicies,
  readPolicy,
} from '../../../../../src/domain/policy/index.ts';
import { faults, object, problemsIn, sound } from './parts.ts';

const head = (name: string, kind = 'AuthorizationPolicy') =>
  `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\n`;

describe('the objects of a text', () => {
  it('are told with line, column, object, field, and mend', () => {
    expect(
      problemsIn(
        `# policies\n---\n${head('a')}spec:\n  rules:\n    - from:\n        - source:\n            princpals: [x]\n`,
      ),
    ).toEqual([
      'F:10:13: AuthorizationPolicy/shop/a: spec.rules[0].from[0].source.princpals: unknown key; did you mean principals?',
    ]);
  });

  it('are all told of at once, in the order of the text', () => {
    const text = `${head('a')}spec:\n  action: NO\n  rules:\n    - to:\n        - operation: {ports: [80], methods: [""]}\n`;
    expect(problemsIn(text).map((line) => line.split(': ').slice(0, 3).join(' '))).toEqual([
      'F:5:11 AuthorizationPolicy/shop/a spec.action',
      'F:8:31 AuthorizationPolicy/shop/a spec.rules[0].to[0].operation.ports[0]',
      'F:8:46 AuthorizationPolicy/shop/a spec.rules[0].to[0].operation.methods[0]',
    ]);
  });

  it('are read where another one is broken, in YAML or in its fields', () => {
    const reading = readPolicies(
      `${head('a')}---\n${head('b')}spec: [\n---\n${head('c')}spec: {action: X}\n---\n${head('d', 'PeerAuthentication')}`,
      { source: 'F' },
    );
    expect(reading.policies.map(({ meta }) => [meta.name, meta.origin])).toEqual([
      ['a', { source: 'F', line: 1 }],
      ['d', { source: 'F', line: 15 }],
    ]);
    expect(new Set(reading.problems.map(({ object: of }) => of?.name))).toEqual(new Set([undefined, 'c']));
  });

  it('may be JSON, a list, and end in an empty document', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [object('AuthorizationPolicy', {}), object('PeerAuthentication', {})],
    };
    expect(readPolicies(`${JSON.stringify(list)}\n---\n`, { source: 'F' }).policies).toHaveLength(2);
    expect(problemsIn('kind: List\nitems:\n  - kind: X\n')).toEqual([
      'F:3:11: kind: "X" is no kind of policy; known are AuthorizationPolicy, PeerAuthentication, RequestAuthentication',
    ]);
  });

  it('stand once', () => {
    expect(problemsIn(`${head('a')}---\n${head('a')}`)).toEqual([
      'F:7:18: AuthorizationPolicy/shop/a: metadata.name: is there already, on line 1; the first one counts; give this one another name',
    ]);
    expect(problemsIn(`${head('a')}---\n${head('a', 'PeerAuthentication')}`)).toEqual([]);
  });

  it('can be found again, part by part', () => {
    const { policies, locate } = readPolicies(
      `${head('a')}spec:\n  rules:\n    - {}\n    - when: [{key: source.ip, values: [10.0.0.1]}]\n`,
      { source: 'F' },
    );
    const [policy] = policies;
    expect(policy && locate(policy, ['spec', 'rules', 1, 'when', 0, 'values', 0])).toEqual({
      line: 7,
      column: 40,
    });
    expect(locate(sound('PeerAuthentication', {}), [])).toBeUndefined();
  });
});

describe('the head of an object', () => {
  const judge = (metadata: object) => faults('AuthorizationPolicy', {}, metadata);

  it.each<[string, unknown, string]>([
    ['no object', 'x', 'T: is no object with apiVersion'],
    ['null', null, 'T: is no object'],
    ['a list', [], 'T: is no object'],
    ['no kind', {}, 'T: kind: is required'],
    ['a kind with a slip', { kind: 'AuthorisationPolicy' }, 'did you mean AuthorizationPolicy?'],
    ['a kind that objects inherit', { kind: 'constructor' }, 'is no kind of policy'],
    [
      'an older version',
      { ...object('PeerAuthentication', {}), apiVersion: 'security.istio.io/v1alpha1' },
      'apiVersion: must be one of security.istio.io/v1, security.istio.io/v1beta1',
    ],
    ['no version', { ...object('PeerAuthentication', {}), apiVersion: undefined }, 'apiVersion: is required'],
    [
      'an unknown key',
      { ...object('PeerAuthentication', {}), specs: {} },
      'specs: unknown key; did you mean spec?',
    ],
    [
      'a spec that is null',
      object('PeerAuthentication', null),
      'spec: Invalid input: expected object, received null; leave the key out, or give it a value',
    ],
  ])('refuses %s', (_, value, expected) => {
    const { policy, problems } = readPolicy(value, { source: 'T' });
    expect(policy).toBeUndefined();
    expect(
      problems
        .map(({ path, message, mend }) => `T: ${path === '' ? '' : `${path}: `}${message}; ${mend}`)
        .join('\n'),
    ).toContain(expected);
  });

  it.each<[string, object, string]>([
    ['no name', { name: undefined }, 'metadata.name: is required'],
    ['a name in upper case', { name: 'Web' }, 'metadata.name: must be a name of lower-case letters'],
    ['a name that is too long', { name: 'a'.repeat(254) }, 'metadata.name: must be'],
    ['no namespace', { namespace: undefined }, 'metadata.namespace: is required'],
    ['a namespace with a dot', { namespace: 'a.b' }, 'metadata.namespace: must be'],
    [
      'a slip in annotations',
      { annotation: {} },
      'metadata.annotation: unknown key; did you mean annotations?',
    ],
    [
      'an annotation that is no text',
      { annotations: { 'istio.io/dry-run': true } },
      'metadata.annotations["istio.io/dry-run"]: must be a string, not a boolean; put it in quotes: "true"',
    ],
    [
      'a dry run of neither',
      { annotations: { 'istio.io/dry-run': 'yes' } },
      'must be "true" or "false", not "yes"',
    ],
    ['a time that is none', { creationTimestamp: 'today' }, 'metadata.creationTimestamp: must be a time'],
  ])('refuses %s', (_, metadata, expected) => {
    expect(judge(metadata)).toContain(expected);
  });

  it('may hold what Kubernetes adds, and what kubectl leaves', () => {
    expect(
      judge({
        uid: 'x',
        resourceVersion: '1',
        generation: 2,
        managedFields: [{}],
        labels: { a: 'b' },
        annotations: { a: 'b' },
        creationTimestamp: null,
      }),
    ).toBe('');
    expect(sound('AuthorizationPolicy', {}, { annotations: { 'istio.io/dry-run': 'false' } }).dryRun).toBe(
      false,
    );
  });

  it('may name no namespace where there is one by default', () => {
    const value = object('AuthorizationPolicy', {}, { namespace: undefined });
    expect(readPolicy(value, { source: 'T', defaultNamespace: 'shop' })).toMatchObject({
      identity: { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'web' },
      policy: { meta: { namespace: 'shop' } },
      problems: [],
    });
  });

  it('v1 and v1beta1 are the same', () => {
    const read = (apiVersion: string) =>
      readPolicy({ ...object('PeerAuthentication', {}), apiVersion }, { source: 'T' }).policy;
    expect(read('security.istio.io/v1beta1')).toEqual(read('security.istio.io/v1'));
  });

  it('tells whose it is also where the rest is broken', () => {
    expect(readPolicy(object('AuthorizationPolicy', { x: 1 }), { source: 'T' }).identity).toEqual({
      kind: 'AuthorizationPolicy',
      namespace: 'shop',
      name: 'web',
    });
  });
});

describe('an object of 1 MB', () => {
  const large = {
    rules: [
      {
        from: [{ source: { principals: Array.from({ length: 4000 }, (_, n) => `${'x'.repeat(300)}${n}`) } }],
      },
    ],
  };

  it('is refused, and says why', () => {
    expect(faults('AuthorizationPolicy', large)).toBe(
      'larger than 1048576 bytes; split it into several policies',
    );
    const [text] = problemsIn(JSON.stringify(object('AuthorizationPolicy', large)));
    expect(text).toBe('F:1:1: a document larger than 1048576 bytes');
  });

  it('is refused at a limit of the caller’s own', () => {
    expect(
      readPolicy(object('AuthorizationPolicy', {}), { source: 'T', maximumBytes: 50 }).problems[0]?.message,
    ).toBe('larger than 50 bytes');
    expect(readPolicies(head('a'), { source: 'T', maximumBytes: 50 }).problems[0]?.message).toBe(
      'a document larger than 50 bytes',
    );
  });
});

describe('the reader', () => {
  const names = [
    'AuthorizationPolicy',
    'spec',
    'rules',
    'from',
    'source',
    'principals',
    'to',
    'operation',
    'ports',
    'when',
    'key',
    'values',
    'source.ip',
    'selector',
    'matchLabels',
    'portLevelMtls',
    'mtls',
    'mode',
    'jwtRules',
    'issuer',
    'jwks',
    'timeout',
    '__proto__',
    'constructor',
    'toString',
    '*',
    '{*}',
    '/{**}/',
    '10.0.0.0/8',
    '80',
    '{"keys":[{"kty":"EC"}]}',
    '5s',
    '',
  ];
  const name = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 8 }));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      name,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  const rule = fc.record(
    { from: tree, to: tree, when: fc.array(fc.record({ key: name, values: fc.array(name) })) },
    { requiredKeys: [] },
  );
  const spec = fc.oneof(
    tree,
    fc.record(
      {
        rules: fc.array(fc.oneof(rule, tree)),
        action: name,
        selector: tree,
        targetRefs: tree,
        jwtRules: fc.array(tree),
        mtls: tree,
        portLevelMtls: fc.dictionary(name, tree),
      },
      { requiredKeys: [] },
    ),
  );
  const value = fc.oneof(
    tree,
    fc.record({
      apiVersion: fc.constantFrom('security.istio.io/v1', 'x'),
      kind: fc.constantFrom(...policyKinds),
      metadata: fc.oneof(tree, fc.constant({ name: 'a', namespace: 'b' })),
      spec,
    }),
  );

  it('never throws anything, and gives a policy or says why not', () => {
    fc.assert(
      fc.property(value, (given) => {
        const { policy, problems } = readPolicy(given, { source: 'T' });
        expect(policy === undefined).toBe(problems.length > 0);
        expect(problems.every(({ message }) => message.length > 0)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws for a text, and says as much as for its value', () => {
    fc.assert(
      fc.property(value, (given) => {
        const text = JSON.stringify(given);
        if (text === undefined) return;
        const reading = readPolicies(text, { source: 'T' });
        for (const { line = 0, column = 0 } of reading.problems)
          expect([line, column >= 1]).toEqual([1, true]);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes what no parser makes for a broken object', () => {
    const cycle: Record<string, unknown> = { kind: 'AuthorizationPolicy' };
    cycle['spec'] = cycle;
    const thrower = {
      kind: 'AuthorizationPolicy',
      get metadata(): never {
        throw new Error('no');
      },
    };
    for (const given of [cycle, thrower, { kind: 'AuthorizationPolicy', spec: 1n }])
      expect(readPolicy(given, { source: 'T' }).problems[0]?.message).toMatch(/cannot be read/);
  });

  it('has a schema of each kind, for the CRDs', () => {
    for (const kind of policyKinds) {
      if (!isPolicyKind(kind)) throw new Error(kind);
      expect(Object.keys(policyJsonSchema(kind).properties ?? {})).toEqual([
        'apiVersion',
        'kind',
        'metadata',
        'spec',
        'status',
      ]);
    }
  });
});
