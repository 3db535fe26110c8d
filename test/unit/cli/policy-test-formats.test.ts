import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser, type Result } from 'tap-parser';
import { describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { printable } from '../../../src/cli/output.ts';
import { junitText, tapText } from '../../../src/cli/policy-testing/formats.ts';
import { problemLine, type TestReport } from '../../../src/cli/policy-testing/report.ts';

const schema = readFileSync(join(import.meta.dirname, '../../support/junit.xsd'), 'utf8');

/** What authors, and files, call things. */
const names: readonly string[] = [
  'web reads',
  'a # SKIP b',
  'a # TODO',
  '#',
  String.raw`back\slash \# both \\`,
  ']]> <![CDATA[ & <b/> &amp; &#0; "quoted" \'single\'',
  'ends with {',
  '}',
  '- 1..3',
  '...',
  '---',
  'Bail out!',
  'ok 7',
  'one\ntwo\r\n# three\n    not ok 4',
  'tab\tNUL\u0000 ESC\u001b[31m DEL\u007f CSI\u009b NEL\u0085',
  'lines\u2028and\u2029 directions\u202e\u2066',
  'none \ufffe \uffff half \ud800 other half \udc00',
  'Größe 測試 😀 e\u0301 \ufeff',
  '?',
  '-->',
  ' ',
  'x'.repeat(100_000),
];

const locate = () => undefined;
function reportOf(cases: TestReport['cases'], problems: TestReport['problems'] = []): TestReport {
  return { cases, coverage: [], problems, locate };
}

/** As a case's name, a test's, a file's, and a reason. */
function hostile(name: string, index: number): TestReport['cases'] {
  const source = `shop/${name}.yaml`;
  return [
    { test: 'orders', name, source, line: index + 1, failures: [], calls: 1 },
    { test: name, name, source, line: index + 1, failures: [name, `${name}\n${name}`], calls: 1 },
  ];
}
const all = names.flatMap(hostile);
const problem = (text: string) => ({ source: text, line: 1, column: 2, path: 'spec', message: text });
const reports: readonly (readonly [string, TestReport])[] = [
  ['nothing', reportOf([])],
  ['all names', reportOf(all)],
  ['what is broken', reportOf([], names.map(problem))],
  ['what is broken beside cases', reportOf(all, [{ source: '', path: '', message: 'none cannot be read' }])],
];

describe('the results of a test of policies, as JUnit XML', () => {
  it.for(reports)('are valid: %s', async ([, report]) => {
    const { errors } = await validateXML({
      xml: [{ fileName: 'junit.xml', contents: Buffer.from(junitText(report)) }],
      schema: [schema],
      maxMemoryPages: 16_384,
    });
    expect(errors).toEqual([]);
  });
});

describe('the results of a test of policies, as TAP 14', () => {
  it.for(reports)('are valid, and tell all: %s', ([, report]) => {
    const parser = new Parser({ strict: true, passes: true });
    const read: Result[] = [];
    parser.on('assert', (result: Result) => read.push(result));
    parser.end(Buffer.from(tapText(report)));
    expect(parser.results?.failures.filter(({ tapError }) => tapError)).toEqual([]);
    expect(parser.ok).toBe(report.problems.length + report.cases.length === 0);
    expect(
      read.map(({ ok, name, skip, todo, diag }) => ({ ok, name, isLeftOut: skip || todo, diag })),
    ).toEqual(
      report.cases.map(({ test, name, source, line, failures }) => {
        const ok = failures.length === 0;
        return {
          ok,
          name: shown(`${test}: ${name}`),
          isLeftOut: false,
          // Word for word: what no line can hold is escaped there.
          diag: ok ? null : { at: `${source}:${line}`, failures },
        };
      }),
    );
    const last = report.problems.at(-1);
    expect(parser.bailedOut).toBe(last ? shown(problemLine(last)) : false);
    expect(parser.comments.filter((line) => line.startsWith('# '))).toHaveLength(
      Math.max(0, report.problems.length - 1),
    );
  });
});

/** As a line holds it, and as this reader takes it: a brace at its end begins a test within the test, where one follows. */
function shown(name: string): string {
  return printable(Buffer.from(name).toString()).trim().replace(/ \{$/, '');
}
