import type { IncomingHttpHeaders } from 'node:http';
import { consoleHeader } from '../../wire/console.ts';

export interface RequestHead {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Why a request for a page is not answered: it came by another name than the console's own, as one does that a page of
 * another name sends after it has had its name point here (DNS rebinding).
 */
export function strangeHost({ headers }: RequestHead, origin: string): boolean {
  return headers.host === undefined || `https://${headers.host.toLowerCase()}` !== origin;
}

/**
 * Why a call is not taken as one of the console's own page; undefined where it is. A browser says truly in Origin and
 * Sec-Fetch-Site where a request comes from, and lets no page of another origin set a header of its own; each of the three
 * is asked for by itself.
 */
export function forgery({ method, headers }: RequestHead, origin: string): string | undefined {
  if (headers[consoleHeader] !== '1') return `the header ${consoleHeader} is missing`;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return 'it comes from another site';
  const from = headers.origin;
  // A browser leaves Origin out of what reads at the page's own origin, and of nothing else.
  if (from === undefined ? method !== 'GET' : from !== origin) return 'it comes from another origin';
  return undefined;
}

/** Whether a request may be one for a page or a part of it: a whole window, or what our own page asks for. */
export function isNavigation({ headers }: RequestHead): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode === undefined || (mode === 'navigate' && headers['sec-fetch-dest'] === 'document');
}
