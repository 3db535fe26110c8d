import { type Draft, isEdited, newPolicy, type Opened } from './document.ts';

/**
 * What has been typed and not applied, by the policy that it is of. It outlives the page within its tab, so that a session
 * that ends takes nothing along, and ends with the tab or by signing out.
 */
const prefix = 'draft ';
const openedPrefix = 'opened ';

export function draftOf(owner: string, key: string): Draft | undefined {
  return readDraft(sessionStorage.getItem(nameOf(owner, key)));
}

/** Keeps what differs from what holds. */
export function keepDraft(owner: string, opened: Opened): void {
  const name = nameOf(owner, opened.key);
  if (!isEdited(opened)) {
    sessionStorage.removeItem(name);
    return;
  }
  const { text, generation } = opened;
  keep(name, JSON.stringify({ text, generation } satisfies Draft));
}

/** The key of what was in the editor last, in this tab. */
export function lastOpened(owner: string): string {
  return sessionStorage.getItem(openedPrefix + owner) ?? newPolicy;
}

export function keepOpened(owner: string, key: string): void {
  keep(openedPrefix + owner, key);
}

export function dropDraft(owner: string, key: string): void {
  sessionStorage.removeItem(nameOf(owner, key));
}

export function draftsOf(owner: string): ReadonlySet<string> {
  const start = nameOf(owner, '');
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(start));
  return new Set(names.map((name) => name.slice(start.length)));
}

export function dropAllDrafts(): void {
  sessionStorage.clear();
}

function keep(name: string, text: string): void {
  try {
    sessionStorage.setItem(name, text);
  } catch {
    // There is no room for it: then it lasts as long as the page.
  }
}

function readDraft(kept: string | null): Draft | undefined {
  if (kept === null) return undefined;
  try {
    const { text, generation }: { readonly text?: unknown; readonly generation?: unknown } = JSON.parse(kept);
    if (typeof text === 'string')
      return { text, generation: typeof generation === 'number' ? generation : undefined };
  } catch {
    // Not of this page's making: there is none.
  }
  return undefined;
}

function nameOf(owner: string, key: string): string {
  return `${prefix}${owner}\n${key}`;
}
