import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** One line under an example: `web GET /orders/42 token={} allowed`. */
export interface DocumentedCall {
  readonly line: string;
  readonly caller: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Claims of a token that goes along. */
  readonly token: Readonly<Record<string, unknown>> | undefined;
  readonly expected: string;
}

export interface Example {
  readonly title: string;
  readonly yaml: string;
  readonly calls: readonly DocumentedCall[];
}

/** The examples of docs/policy-language.md: each YAML block that is followed by a block of calls. */
export function documentedExamples(): readonly Example[] {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/policy-language.md'), 'utf8');
  const pattern = /^## (.+)$|^```yaml\n([\s\S]*?)^```\n\n```calls\n([\s\S]*?)^```/gm;
  const examples: Example[] = [];
  let title = '';
  for (const [, heading, yaml, calls] of text.matchAll(pattern)) {
    if (heading !== undefined) title = heading;
    if (yaml !== undefined && calls !== undefined) {
      const lines = calls.trim().split('\n');
      examples.push({ title, yaml, calls: lines.map(readCall) });
    }
  }
  return examples;
}

function readCall(line: string): DocumentedCall {
  const [caller = '', method = '', path = '', ...rest] = line.trim().split(/\s+/);
  const expected = rest.pop() ?? '';
  const pairs = rest.map(
    (part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const,
  );
  const token = pairs.find(([name]) => name === 'token')?.[1];
  return {
    line,
    caller,
    method,
    path,
    headers: Object.fromEntries(pairs.filter(([name]) => name !== 'token')),
    token: token === undefined ? undefined : z.record(z.string(), z.unknown()).parse(JSON.parse(token)),
    expected,
  };
}
