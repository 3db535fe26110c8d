/**
 * What has been typed and not applied, by the policy that it is of. It outlives the page within its tab, so that a session
 * that ends takes nothing along, and ends with the tab or by signing out.
 */
const prefix = 'draft ';

export const newPolicy = '';

export function draftOf(owner: string, key: string): string | undefined {
  return sessionStorage.getItem(nameOf(owner, key)) ?? undefined;
}

export function keepDraft(owner: string, key: string, text: string): void {
  try {
    sessionStorage.setItem(nameOf(owner, key), text);
  } catch {
    // There is no room for it: then it lasts as long as the page.
  }
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

function nameOf(owner: string, key: string): string {
  return `${prefix}${owner}\n${key}`;
}
