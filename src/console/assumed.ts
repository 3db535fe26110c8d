import { type ComponentChild, h } from 'preact';
import type { ConsoleChange } from '../wire/console.ts';
import { quoted } from './command.ts';
import { isEdited, type Opened } from './document.ts';
import { keyText } from './elements.ts';

/** What the answers below are true of. */
export function Assumed({ opened }: { readonly opened: Opened }): ComponentChild {
  if (opened.removing)
    return h('p', { class: 'assumed odd' }, `As if ${opened.key} were gone: it is marked for removal.`);
  return h(
    'p',
    { class: 'assumed faint' },
    isEdited(opened)
      ? 'As if the text in the editor held, beside all else that does.'
      : 'The text in the editor is as it was opened, and judged beside all else that holds.',
  );
}

/** By which a command takes a change for done. @param text the option that a file with the editor's text needs, if any */
export function assumingOptions({ text, remove }: ConsoleChange, file = 'policy.yaml'): string {
  const named = remove.map((key) => quoted(keyText(key)));
  if (named.length > 0) return ` --remove ${named.join(' ')}`;
  return text === '' ? '' : ` ${file}`;
}
