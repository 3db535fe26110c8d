import type { DecisionRecord } from '../../ports/index.ts';
import type { Tally } from './model.ts';

/** Method and path; of what is not kept, that it is not. */
export function requestWords({ method, path, lacks }: DecisionRecord): string {
  const of = (value: string | undefined, name: DecisionRecord['lacks'][number]) =>
    value ?? (lacks.includes(name) ? '(not kept)' : '');
  return `${of(method, 'method')} ${of(path, 'path')}`.trim() || 'connection';
}

/**
 * Whoever decides by counts must know that they are of a part; undefined where each call was told of.
 * @param sampled of the calls that are counted @param sample of a hundred how many are told of; undefined: not known
 */
export function sampleWords({ calls }: Tally, sample: number | undefined): string | undefined {
  if (sample === 0)
    return 'Calls that were allowed by mutual TLS are not told of at all (mesh.accessLog.sample is 0): what would deny these is not seen here.';
  if (calls === 0 || sample === 100) return undefined;
  return `${calls} of these calls were allowed by mutual TLS, which proxies tell of by sample${
    sample === undefined ? '' : ` (${sample} in a hundred)`
  }: each stands for more, and rare ones may be missing.`;
}
