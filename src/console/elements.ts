import { type ComponentChild, type ComponentChildren, h } from 'preact';

/** `AuthorizationPolicy/shop/web`, as commands take it. */
export function keyText({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${kind}/${namespace}/${name}`;
}

export function button(
  text: ComponentChildren,
  onClick: () => void,
  more: Readonly<Record<string, unknown>> = {},
): ComponentChild {
  return h('button', { type: 'button', onClick, ...more }, text);
}

/** Something that is told aloud when it changes. */
export function status(text: string): ComponentChild {
  return h('p', { class: 'status', role: 'status' }, text);
}

export function failure(text: string): ComponentChild {
  return h('p', { class: 'failure', role: 'alert' }, text);
}

export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
