import { printable } from '../output.ts';
import { failedCases, problemLine, type TestReport } from './report.ts';

/** Test Anything Protocol, version 14: a line a case, what fails with a block of YAML below it. */
export function tapText(report: TestReport): string {
  const { cases, problems } = report;
  const lines = ['TAP version 14', `1..${cases.length}`];
  for (const [index, { test, name, source, line, failures }] of cases.entries()) {
    const ok = failures.length === 0 ? 'ok' : 'not ok';
    lines.push(`${ok} ${index + 1} - ${tapName(`${test}: ${name}`)}`);
    if (failures.length === 0) continue;
    lines.push(
      '  ---',
      `  at: ${JSON.stringify(`${source}:${line}`)}`,
      '  failures:',
      ...failures.map((failure) => `    - ${JSON.stringify(failure)}`),
      '  ...',
    );
  }
  for (const problem of problems) lines.push(`Bail out! ${printable(problemLine(problem))}`);
  return `${lines.join('\n')}\n`;
}

/** `#` begins a directive, a backslash escapes it. */
function tapName(name: string): string {
  return printable(name).replaceAll(/[\\#]/g, String.raw`\$&`);
}

/** JUnit's XML, as pipelines read it: a suite a test, a case a case, a problem an error of its own. */
export function junitText(report: TestReport): string {
  const suites = new Map<string, TestReport['cases'][number][]>();
  for (const each of report.cases) {
    const key = `${each.source}: ${each.test}`;
    suites.set(key, [...(suites.get(key) ?? []), each]);
  }
  const { length: errors } = report.problems;
  const all = report.cases.length + errors;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${all}" failures="${failedCases(report).length}" errors="${errors}">`,
  ];
  for (const cases of suites.values()) {
    const [first] = cases;
    if (!first) continue;
    const failures = cases.filter((each) => each.failures.length > 0).length;
    lines.push(
      `  <testsuite name="${xml(first.test)}" file="${xml(first.source)}" tests="${cases.length}" failures="${failures}" errors="0">`,
      ...cases.flatMap(({ test, name, source, line, failures: why }) => {
        const head = `    <testcase classname="${xml(test)}" name="${xml(name)}" file="${xml(source)}" line="${line}"`;
        if (why.length === 0) return [`${head}/>`];
        return [
          `${head}>`,
          `      <failure message="${xml(why[0] ?? '')}">${xml(why.join('\n'))}</failure>`,
          '    </testcase>',
        ];
      }),
      '  </testsuite>',
    );
  }
  if (errors > 0)
    lines.push(
      `  <testsuite name="problems" tests="${errors}" failures="0" errors="${errors}">`,
      ...report.problems.map((problem) => {
        const text = xml(problemLine(problem));
        return `    <testcase classname="problems" name="${text}"><error message="${text}"/></testcase>`;
      }),
      '  </testsuite>',
    );
  return `${[...lines, '</testsuites>'].join('\n')}\n`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** Without what XML 1.0 can hold in no form. */
function xml(text: string): string {
  return text
    .split('\n')
    .map(printable)
    .join('\n')
    .replaceAll(/[\ufffe\uffff]/g, '?')
    .replaceAll(/[&<>"\n]/g, (character) => entities[character] ?? '');
}
