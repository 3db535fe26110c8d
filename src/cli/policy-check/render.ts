import { printable } from '../output.ts';
import type { Findings } from './gather.ts';
import { sectionsOf, summaryOf } from './sections.ts';

/** For a terminal. */
export function checkText(findings: Findings): string {
  const lines = sectionsOf(findings)
    .filter(({ count }) => count > 0)
    .flatMap(({ title, count, entries }) => [
      `${title} (${count}):`,
      ...entries.flatMap(([line, ...more]) => [`  ${line}`, ...more.map((each) => `      ${each}`)]),
    ]);
  return [...lines, `${summaryOf(findings)}.`].map((line) => `${printable(line)}\n`).join('');
}

/** More of one kind makes a summary that nobody reads. */
const mostEntries = 20;

/** For a pull request: a table of what was found, and the findings themselves. */
export function checkMarkdown(findings: Findings): string {
  const sections = sectionsOf(findings);
  const lines = [
    '### Policy check',
    '',
    '| | |',
    '| --- | ---: |',
    ...sections.map(({ title, count }) => `| ${title} | ${count === 0 ? '–' : `**${count}**`} |`),
    '',
    `${escaped(summaryOf(findings))}.`,
  ];
  for (const { title, count, entries } of sections) {
    if (count === 0) continue;
    lines.push('', `#### ${title}`, '');
    for (const [line, ...more] of entries.slice(0, mostEntries))
      lines.push(`- ${code(line)}`, ...more.map((each) => `  - ${code(each)}`));
    if (count > mostEntries) lines.push(`- and ${count - mostEntries} more`);
  }
  return `${lines.join('\n')}\n`;
}

/** Text of others as it is: it must make no link, no mention and no markup. */
function code(text: string): string {
  const line = printable(text);
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = longest > 0 ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

function escaped(text: string): string {
  return printable(text).replaceAll(/[\\`*_{}[\]<>#|@!]/g, String.raw`\$&`);
}
