import { type ApiClient, unexpectedReply } from '../api/index.ts';
import type { Condition } from './conditions.ts';
import { type PolicyRecord, type StoredCondition, storedConditions } from './record.ts';

export interface Write {
  readonly record: PolicyRecord;
  /** The plural, as in a path. */
  readonly plural: string;
  readonly conditions: readonly Condition[];
  readonly now: Date;
}

/** `gone`: there is no such object, or it has no status; `changed`: it is another than the one that was looked at. */
export type WriteOutcome = { readonly stored: readonly StoredCondition[] } | 'gone' | 'changed';

/**
 * Writes our conditions; those of others stay. Not by server-side apply: a definition that is not ours, as Istio's, may take
 * the list for one value, which whoever applies then has for himself.
 * @throws CitadelError Unavailable
 */
export async function writeConditions(
  api: ApiClient,
  { record, plural, conditions, now }: Write,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const { apiVersion, namespace, name, resourceVersion, stored, foreign } = record;
  const reply = await api.request(
    {
      method: 'PATCH',
      path: `/apis/${apiVersion}/namespaces/${namespace}/${plural}/${name}/status`,
      query: { fieldManager: 'citadel-status' },
      contentType: 'application/merge-patch+json',
      body: {
        // Neither over what somebody has written meanwhile, nor to another object that has taken the name.
        metadata: { resourceVersion },
        status: {
          conditions: [...foreign, ...conditions.map((condition) => withTime(condition, stored, now))],
        },
      },
    },
    signal,
  );
  if (reply.status === 200) return { stored: storedConditions(reply.body) };
  if (reply.status === 404) return 'gone';
  if (reply.status === 409) return 'changed';
  throw unexpectedReply(`write the status of ${plural} ${namespace}/${name}`, reply);
}

/** The time of a transition is that of the last change of `status`, as meta/v1 says. */
function withTime(condition: Condition, stored: readonly StoredCondition[], now: Date): StoredCondition {
  const before = stored.find(({ type }) => type === condition.type);
  const stays = before?.status === condition.status && before.lastTransitionTime !== '';
  // Kubernetes' times have no fractions of seconds.
  return {
    ...condition,
    lastTransitionTime: stays ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
}
