import type { Page } from '../../src/domain/ports/index.ts';
import { CitadelError } from '../../src/kernel/index.ts';

export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new CitadelError('InvalidArgument', 'the page size must be from 1 to 1000');
}

/** @param rows newest first; `filters` are written into the token, so that it serves this query alone */
export function page<T>(
  rows: readonly T[],
  sequenceOf: (row: T) => number,
  limit: number,
  token: string | undefined,
  filters: object,
): Page<T> {
  checkLimit(limit);
  const scope = Buffer.from(JSON.stringify(filters)).toString('base64url');
  const [, tokenScope, position] = token?.match(/^([\w-]+)\.(\d+)$/) ?? [];
  if (token !== undefined && tokenScope !== scope)
    throw new CitadelError('InvalidArgument', 'the page token is not one of this query');
  const rest = position === undefined ? rows : rows.filter((row) => sequenceOf(row) < Number(position));
  const items = rest.slice(0, limit);
  const last = rest.length > limit ? items.at(-1) : undefined;
  return last ? { items, nextPageToken: `${scope}.${sequenceOf(last)}` } : { items };
}
