import { type ComponentChild, h } from 'preact';
import type { ConsolePolicyHead } from '../wire/console.ts';
import { isEdited, newPolicy, type Opened } from './document.ts';
import { button } from './elements.ts';

interface ToolbarProps {
  readonly opened: Opened;
  /** Undefined where it does not hold. */
  readonly head: ConsolePolicyHead | undefined;
  readonly onRevert: () => void;
  readonly onFormat: () => void;
  readonly onToggleRemoving: () => void;
  readonly onReview: () => void;
}

/** Which policy is in the editor, and what can be done with it. */
export function Toolbar(props: ToolbarProps): ComponentChild {
  const { opened, head, onRevert, onFormat, onToggleRemoving, onReview } = props;
  const { key, removing } = opened;
  return h(
    'div',
    { class: 'toolbar' },
    h('h2', {}, key === newPolicy ? 'New policy' : key),
    head && !head.stored
      ? h('span', { class: 'badge', title: head.source }, `kept in ${head.source}: change it there`)
      : null,
    removing ? h('span', { class: 'badge remove' }, 'marked for removal') : null,
    isEdited(opened) && head ? button('Revert', onRevert, { class: 'quiet' }) : null,
    button('Format', onFormat, { title: 'Shift+Alt+F' }),
    head?.stored ? button(removing ? 'Keep it' : 'Remove …', onToggleRemoving) : null,
    button('Review', onReview, { class: 'primary', title: 'Ctrl+S' }),
  );
}
