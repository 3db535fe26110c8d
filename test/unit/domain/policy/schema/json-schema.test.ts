import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  fieldHelp,
  isPolicyKind,
  policyFilesJsonSchema,
  policyKinds,
  shapeAt,
} from '../../../../../src/domain/policy/index.ts';
import { parseYaml } from '../../../../../src/yaml/index.ts';

const file = join(import.meta.dirname, '../../../../../docs/policy.schema.json');
const validate = new Ajv({
  allErrors: true,
  strict: true,
  strictRequired: false,
  validateFormats: false,
}).compile(z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8'))));

/** What the schema refuses of the documents of a text, each by the path of what is wrong. */
function refused(text: string): readonly string[] {
  return parseYaml(text).flatMap(({ value, problems }) => {
    expect(problems).toEqual([]);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  });
}

const policy = (spec: string, kind = 'AuthorizationPolicy') =>
  `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: {name: a, namespace: shop}\nspec: ${spec}\n`;
const test = (cases: string) =>
  `apiVersion: citadel.dev/v1\nkind: PolicyTest\nmetadata: {name: a}\nspec: {cases: [${cases}]}\n`;

describe('docs/policy.schema.json', () => {
  it('is what scripts/gen-schema writes', () => {
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(policyFilesJsonSchema())),
    );
  });

  it('takes every example of the documentation', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../../../docs/policy-language.md'), 'utf8');
    const examples = [...docs.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = '']) => text);
    expect(examples.length).toBeGreaterThan(8);
    expect(examples.flatMap(refused)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['an unknown key', policy('{rule: []}'), '/spec must NOT have additional properties'],
    [
      'an unknown action',
      policy('{action: PERMIT}'),
      '/spec/action must be equal to one of the allowed values',
    ],
    ['an empty list', policy('{rules: [{from: []}]}'), '/spec/rules/0/from must NOT have fewer than 1 items'],
    [
      'a key of a condition that is none',
      policy('{rules: [{when: [{key: source.ips, values: [a]}]}]}'),
      '/spec/rules/0/when/0/key must match a schema in anyOf',
    ],
    [
      'a number for text',
      policy('{rules: [{to: [{operation: {ports: [80]}}]}]}'),
      '/spec/rules/0/to/0/operation/ports/0 must be string',
    ],
    [
      'an unknown mode',
      policy('{mtls: {mode: strict}}', 'PeerAuthentication'),
      '/spec/mtls/mode must be equal to one of the allowed values',
    ],
    [
      'a mode of a port',
      policy('{portLevelMtls: {8080: {mode: ON}}}', 'PeerAuthentication'),
      '/spec/portLevelMtls/8080/mode must be equal to one of the allowed values',
    ],
    [
      'a rule of tokens',
      policy('{jwtRules: [{issuers: a}]}', 'RequestAuthentication'),
      '/spec/jwtRules/0 must NOT have additional properties',
    ],
    [
      'an unknown kind',
      policy('{}', 'AuthorisationPolicy'),
      '/kind must be equal to one of the allowed values',
    ],
    [
      'an expectation that is none',
      test('{name: a, expect: permitted}'),
      '/spec/cases/0/expect must be equal to one of the allowed values',
    ],
    [
      'a test of another version',
      test('{name: a, expect: denied}').replace('dev/v1', 'dev/v2'),
      '/apiVersion must be equal to constant',
    ],
  ])('refuses %s', (_, text, expected) => {
    expect(refused(text)).toContain(expected);
  });

  it('takes what a condition may ask, and claims within claims', () => {
    const keys = [
      'source.ip',
      'request.headers[x-a]',
      'request.auth.claims[a][b]',
      'experimental.envoy.filters.http.ext_authz[t]',
    ];
    for (const key of keys)
      expect(refused(policy(`{rules: [{when: [{key: "${key}", values: ["a"]}]}]}`))).toEqual([]);
    expect(
      refused(test('{name: a, expect: denied, jwt: {iss: a, x: {y: [1, {z: null}]}}, method: [GET, PUT]}')),
    ).toEqual([]);
  });

  it('says of every field what it means', () => {
    const silent = policyKinds.filter(isPolicyKind).flatMap((kind) =>
      fieldsBelow(kind, [])
        .filter((path) => fieldHelp(kind, path) === undefined)
        .map((path) => `${kind} ${path.join('.')}`),
    );
    // What Kubernetes keeps there, and nobody writes.
    expect(
      silent.filter(
        (path) => !/ (?:metadata\.|status)/.test(path) && !/ spec\.targetRefs?\.namespace$/.test(path),
      ),
    ).toEqual([
      'AuthorizationPolicy spec.targetRef.group',
      'AuthorizationPolicy spec.targetRef.kind',
      'AuthorizationPolicy spec.targetRef.name',
      'RequestAuthentication spec.targetRef.group',
      'RequestAuthentication spec.targetRef.kind',
      'RequestAuthentication spec.targetRef.name',
    ]);
  });
});

function fieldsBelow(kind: string, path: readonly string[]): readonly string[][] {
  const keys = shapeAt(kind, path)?.keys ?? [];
  return keys.flatMap((key) => {
    const below = [...path, key];
    // A list's items are spoken of at the list itself.
    return [below, ...(shapeAt(kind, below) ? fieldsBelow(kind, below) : [])];
  });
}

describe('shapeAt', () => {
  it('knows keys and values, of lists those of their items', () => {
    expect(shapeAt('AuthorizationPolicy', ['spec', 'action'])).toEqual({
      keys: [],
      values: ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'],
      isList: false,
    });
    expect(shapeAt('AuthorizationPolicy', ['spec', 'rules'])).toEqual({
      keys: ['from', 'to', 'when'],
      values: [],
      isList: true,
    });
    expect(shapeAt('AuthorizationPolicy', ['spec', 'rules', 0, 'from', 3])?.keys).toEqual(['source']);
    expect(shapeAt('PeerAuthentication', ['spec', 'portLevelMtls', '8080'])?.keys).toEqual(['mode']);
    expect(shapeAt('AuthorizationPolicy', ['spec', 'nothing'])).toBeUndefined();
  });
});
