import { type ComponentChild, type ComponentChildren, h } from 'preact';
import type { ConsolePolicyKey } from '../wire/console.ts';

/** `AuthorizationPolicy/shop/web`, as commands take it. */
export function keyText({ kind, namespace, name }: ConsolePolicyKey): string {
  return `${kind}/${namespace}/${name}`;
}

/** @param text as `keyText` writes it */
export function keyOf(text: string): ConsolePolicyKey {
  const [kind = '', namespace = '', name = ''] = text.split('/');
  return { kind, namespace, name };
}

export function button(
  text: ComponentChildren,
  onClick: () => void,
  more: Readonly<Record<string, unknown>> = {},
): ComponentChild {
  return h('button', { type: 'button', onClick, ...more }, text);
}

/**
 * A form's button. Where it can do nothing it says so and stays where it is: one that is disabled loses the focus, and with
 * it whoever uses the keyboard. Its form has to look by itself whether anything can be done.
 */
export function submitButton(text: string, isIdle: boolean): ComponentChild {
  return h(
    'button',
    { type: 'submit', class: 'primary', 'aria-disabled': isIdle ? undefined : 'true' },
    text,
  );
}

/** Something that is told aloud when it changes. */
export function status(text: string): ComponentChild {
  return h('p', { class: 'status', role: 'status' }, text);
}

export function failure(text: string): ComponentChild {
  return h('p', { class: 'failure', role: 'alert' }, text.charAt(0).toUpperCase() + text.slice(1));
}

export function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

export function checkBox(
  label: string,
  checked: boolean,
  onChecked: (checked: boolean) => void,
): ComponentChild {
  const onChange = ({ target }: Event) => onChecked(target instanceof HTMLInputElement && target.checked);
  return h('label', { class: 'check' }, h('input', { type: 'checkbox', checked, onChange }), ` ${label}`);
}

export function typedText(onTyped: (text: string) => void): (event: Event) => void {
  return ({ target }) => {
    if (
      target instanceof HTMLInputElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement
    )
      onTyped(target.value);
  };
}

/** Why something is done. */
export function reasonInput(reason: string, onReason: (reason: string) => void, id?: string): ComponentChild {
  return h('input', {
    id,
    required: true,
    maxLength: 1024,
    autocomplete: 'off',
    placeholder: 'for the audit record',
    value: reason,
    onInput: typedText(onReason),
  });
}

/** A form that does something of the page, and never leaves it. */
export function submitting(onSubmit: () => void): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    onSubmit();
  };
}

/** The values that a field offers. */
export function offers(id: string, values: readonly string[]): ComponentChild {
  return h(
    'datalist',
    { id },
    values.map((value) => h('option', { key: value, value })),
  );
}

/** A moment, as commands print it. */
export function instant(rfc3339: string): string {
  return rfc3339.replace(/\.\d+Z$/, 'Z');
}
