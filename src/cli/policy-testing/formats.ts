import { printable } from '../output.ts';
import { failedCases, problemLine, type TestReport } from './report.ts';

/** Test Anything Protocol, version 14: a line a case, what fails with a block of YAML below it. */
export function tapText(report: TestReport): string {
  const { cases, problems } = report;
  const lines = ['TAP version 14'];
  // A plan of none says that all is well, and nothing after it is read.
  if (cases.length > 0 || problems.length === 0) lines.push(`1..${cases.length}`);
  for (const [index, { test, name, source, line, failures }] of cases.entries()) {
    const ok = failures.length === 0 ? 'ok' : 'not ok';
    lines.push(`${ok} ${index + 1} - ${tapName(`${test}: ${name}`)}`);
    if (failures.length === 0) continue;
    lines.push(
      '  ---',
      `  at: ${quoted(`${source}:${line}`)}`,
      '  failures:',
      ...failures.map((failure) => `    - ${quoted(failure)}`),
      '  ...',
    );
  }
  // After a bail out nothing is read: what else is broken stands before it.
  const broken = problems.map((problem) => printable(problemLine(problem)));
  lines.push(...broken.slice(0, -1).map((line) => `# ${line}`));
  lines.push(...broken.slice(-1).map((line) => `Bail out! ${line}`));
  return `${lines.join('\n')}\n`;
}

/** `#` begins a directive, a backslash escapes it. */
function tapName(name: string): string {
  return printable(name).replaceAll(/[\\#]/g, String.raw`\$&`);
}

/** In YAML and JSON alike, without what readers of lines take for the end of one, and terminals for an order. */
function quoted(text: string): string {
  const escaped = (character: string) =>
    String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, escaped);
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
