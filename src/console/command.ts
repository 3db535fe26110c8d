import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { button } from './elements.ts';

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** What does the same in a terminal. */
export function Command({
  line,
  title = 'In a terminal',
}: {
  readonly line: string;
  readonly title?: string;
}): ComponentChild {
  const [copied, setCopied] = useState('');
  const copy = () => {
    navigator.clipboard.writeText(line).then(
      () => setCopied(line),
      () => setCopied(''),
    );
  };
  return h(
    'div',
    { class: 'command' },
    h('span', { class: 'command-title' }, title),
    h('code', { tabIndex: 0 }, line),
    button(copied === line ? 'Copied' : 'Copy', copy, {
      class: 'quiet',
      'aria-label': `Copy the command ${line}`,
    }),
  );
}
