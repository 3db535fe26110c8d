/** What is in the editor, and what becomes of it; pure, for answers come late, and what was typed meanwhile must stay. */
export interface Opened {
  /** `KIND/NAMESPACE/NAME`; empty for a policy that is not there yet. */
  readonly key: string;
  readonly text: string;
  /** What it said in the mesh when it was opened, or since it was applied. */
  readonly saved: string;
  /** Of what the text was made from; undefined where that is not known. */
  readonly generation: number | undefined;
  /** Whether it is to be taken away. */
  readonly removing: boolean;
  /** Grows with each text that the editor is to show anew. */
  readonly version: number;
}

export interface Draft {
  readonly text: string;
  /** Of what it was made from. */
  readonly generation: number | undefined;
}

export const newPolicy = '';

const example = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: my-policy
  namespace: my-namespace
spec:
  action: ALLOW
  rules: []
`;

export const nothingOpened: Opened = {
  key: newPolicy,
  text: example,
  saved: example,
  generation: undefined,
  removing: false,
  version: 0,
};

/** Shows a policy, or the draft that was made of it. */
export function opens(
  now: Opened,
  { key, saved, generation }: Pick<Opened, 'key' | 'saved' | 'generation'>,
  draft: Draft | undefined,
): Opened {
  const { text, ...base } = draft ?? { text: saved, generation };
  return { key, saved, text, ...base, removing: false, version: now.version + 1 };
}

export function opensNew(now: Opened, draft: Draft | undefined): Opened {
  return opens(now, nothingOpened, draft);
}

export function typed(now: Opened, text: string): Opened {
  return { ...now, text };
}

/** @param of what was sent to be formatted: where something else stands there by now, that stays */
export function formatted(now: Opened, of: Opened, text: string): Opened {
  if (now.key !== of.key || now.text !== of.text) return now;
  return { ...now, text, version: now.version + 1 };
}

/**
 * What was sent holds from then on. What was typed meanwhile is a change of it, and another policy that was opened stays.
 * @param keys of the policies that the text has
 */
export function applied(
  now: Opened,
  of: Opened,
  { keys, generation }: { readonly keys: readonly string[]; readonly generation: number },
): Opened {
  if (now.key !== of.key) return now;
  if (of.removing) return opensNew(now, undefined);
  const key = keys.includes(now.key) ? now.key : (keys[0] ?? now.key);
  return { ...now, key, saved: of.text, generation };
}

export function isEdited({ text, saved }: Opened): boolean {
  return text !== saved;
}

/** Whether others have changed what this was made from. @param generation as it holds now; it grows with each change */
export function isOlder(opened: Opened, generation: number | undefined): boolean {
  return opened.generation !== undefined && generation !== undefined && opened.generation < generation;
}
