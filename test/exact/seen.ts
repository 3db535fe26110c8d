import { normalizePath } from '../../src/domain/policy/decide/index.ts';
import type { PolicyWorld } from '../../src/domain/policy/index.ts';
import type { Seen } from './membership.ts';
import type { Trial } from './place.ts';

/** A trial as policies look at it. */
export function seen(trial: Trial, { settings }: PolicyWorld): Seen {
  const { http } = trial.request;
  const query = http?.path.indexOf('?') ?? -1;
  return {
    ...trial,
    settings,
    path: http && normalizePath(http.path),
    query: http && query !== -1 ? http.path.slice(query) : '',
  };
}
