import type { Expected } from './coverage.ts';
import { conditionShapes, operationFields, sourceFields } from './fields.ts';
import { spellings } from './spelling.ts';

const makers = { ...sourceFields, ...operationFields };
const shapes: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(makers).map(([name, { shapes: own }]) => [name, own])),
  ...conditionShapes,
};
const signed = (all: readonly string[]) => [...all, ...all.map((each) => `not ${each}`)];
const decided = ['CUSTOM', 'DENY', 'ALLOW, no rule'].map((step) => `deny by ${step}`);
const allowed = ['allow by ALLOW', 'allow by default, no rule'];

/** What every run must come by: each field, each operator, each action, each way to decide, however seldom. */
export const everyKind: Expected = {
  field: signed(Object.keys(shapes)),
  operator: signed([...new Set(Object.values(shapes).flat())]),
  action: ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'].flatMap((action) => [action, `${action} dry-run`]),
  rule: ['no rules', 'empty rule', 'one part', 'two parts', 'three parts'],
  'request path': spellings,
  'request headers': ['none', 'one', 'several'],
  'request target': ['plain', 'two hosts by HTTP/1.1', 'two hosts by HTTP/2'],
  'HTTP request': ['deny by PATH, no rule', ...decided, ...allowed],
  connection: [...decided, ...allowed],
  'matched beside': ['AUDIT', ...['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'].map((action) => `${action} dry-run`)],
  'field of the deciding rule': Object.keys(shapes),
};

/** What a long run must come by: each field with each of its operators, and in a rule that decided either way round. */
export const everyCell: Expected = {
  ...everyKind,
  'field of the deciding rule': signed(Object.keys(shapes)),
  ...Object.fromEntries(Object.entries(shapes).map(([name, own]) => [`field ${name}`, signed(own)])),
};
