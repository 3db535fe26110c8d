import type { Resources } from './holdings.ts';
import type { Request } from './request.ts';
import { versionOf } from './versions.ts';

/**
 * Versions that a client brings from an earlier stream, of what there is: it has accepted them, and is not sent them again.
 * @param request its first one of a type
 */
export function broughtBy(request: Request, all: Resources | undefined): ReadonlyMap<string, string> {
  if (!all) return new Map();
  if (request.variant === 'delta') return new Map([...request.initial].filter(([name]) => all.has(name)));
  const isWhole = request.names.length === 0 && request.version !== '' && request.version === versionOf(all);
  return new Map(isWhole ? [...all].map(([name, { version }]) => [name, version]) : []);
}
