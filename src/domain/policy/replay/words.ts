import type { DecisionRecord } from '../../ports/index.ts';
import type { Tally } from './model.ts';

/** Method and path; of what is not kept, that it is not. */
export function requestWords({ method, path, lacks }: DecisionRecord): string {
  const of = (value: string | undefined, name: DecisionRecord['lacks'][number]) =>
    value ?? (lacks.includes(name) ? '(not kept)' : '');
  return `${of(method, 'method')} ${of(path, 'path')}`.trim() || 'connection';
}

const seeAll = 'Set mesh.accessLog.sample of the server to 100 for as long as you record.';

/**
 * Whoever decides by counts must know that they are of a part, and how to have the whole; undefined where each call was
 * told of, or that is not known and none is among them.
 * @param sampled of the calls that are counted @param sample of a hundred how many are told of; undefined: not known
 */
export function sampleWords({ calls }: Tally, sample: number | undefined): string | undefined {
  if (sample === 100) return undefined;
  if (sample === 0)
    return `Calls that were allowed by mutual TLS are not told of at all (mesh.accessLog.sample is 0): what would deny these is not seen here. ${seeAll}`;
  if (calls === 0)
    return sample === undefined
      ? undefined
      : `Of calls that were allowed by mutual TLS proxies tell by sample (${sample} in a hundred), and none is among these. ${seeAll}`;
  const how = sample === undefined ? '' : ` (${sample} in a hundred)`;
  const about = sample === undefined ? 'more' : `about ${Math.round((calls * 100) / sample)}`;
  return `${calls} of these calls were allowed by mutual TLS, which proxies tell of by sample${how}: they stand for ${about}, and rare callers and paths may be missing. ${seeAll}`;
}
