import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { SpiffeError } from '../src/index.ts';

/** What every case has; a refused one names the rule and its section. */
export interface Case {
  readonly name: string;
  readonly rule?: string;
  readonly section?: string;
}

export type Text = string | readonly (string | { readonly repeat: string; readonly times: number })[];

/** The cases of a file of vectors/; `guard` says whether one has the form that the test counts on. */
export function loadVectors<T extends Case>(
  file: string,
  guard: (value: object) => value is T & object,
): T[] {
  const content: unknown = JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8'));
  if (!isObject(content) || !('cases' in content) || !Array.isArray(content.cases))
    throw new Error(`no cases in ${file}`);
  return content.cases.map((each: unknown) => {
    if (!isObject(each) || !('name' in each)) throw new Error(`a case of ${file} is malformed`);
    if (!guard(each)) throw new Error(`the case ${String(each.name)} of ${file} is malformed`);
    return each;
  });
}

export function expandText(text: Text): string {
  if (typeof text === 'string') return text;
  return text.map((part) => (typeof part === 'string' ? part : part.repeat.repeat(part.times))).join('');
}

/** `run` throws the library's error with this rule and section. */
export function expectRefusal(run: () => unknown, { rule, section }: Case): void {
  const error = errorOf(run);
  expect({ rule: error.rule, section: error.section }).toEqual({ rule, section });
  expect(error.message).toContain(error.section);
}

/** The SpiffeError that `run` throws; nothing else will do. */
export function errorOf(run: () => unknown): SpiffeError {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    if (error instanceof SpiffeError) return error;
    throw error;
  }
  throw new Error(`accepted: ${String(result)}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
