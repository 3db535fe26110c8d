import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { failing } from './call.ts';
import { Command } from './command.ts';
import { button, failure, reasonInput, submitButton, submitting } from './elements.ts';

interface ConfirmDialogProps {
  readonly title: string;
  /** On the button that does it. */
  readonly verb: string;
  /** The command that does it, for this reason. */
  readonly command: (reason: string) => string;
  readonly onConfirm: (reason: string) => Promise<void>;
  readonly onClosed: () => void;
  readonly onEnded: () => void;
  /** What would be done. */
  readonly children: ComponentChildren;
}

/** Asks once more, and why. It has the keyboard until it is left, and gives it back to where it was. */
export function ConfirmDialog(props: ConfirmDialogProps): ComponentChild {
  const { title, verb, command, onConfirm, onClosed, onEnded, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  const confirm = () => {
    if (busy) return;
    setBusy(true);
    setProblem('');
    onConfirm(reason)
      .then(close)
      .catch(failing(setProblem, onEnded))
      .finally(() => setBusy(false));
  };
  return h(
    'dialog',
    { ref: dialog, class: 'confirm', 'aria-labelledby': 'confirm-title', onClose: onClosed },
    h(
      'form',
      { class: 'confirm-body', onSubmit: submitting(confirm) },
      h('h2', { id: 'confirm-title' }, title),
      children,
      h('label', { class: 'field' }, 'Why', reasonInput(reason, setReason)),
      problem === '' ? null : failure(problem),
      h(Command, { line: command(reason === '' ? 'REASON' : reason) }),
      h('div', { class: 'confirm-buttons' }, button('Cancel', close), submitButton(verb, !busy)),
    ),
  );
}
