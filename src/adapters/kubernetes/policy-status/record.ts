import { type Policy, policyHash } from '../../../domain/policy/index.ts';
import { field, items, text } from '../api/index.ts';
import { type PolicyCollection, slimPolicy } from '../mesh/index.ts';
import type { Condition } from './conditions.ts';

/** What an object of the cluster says and what its status says of it. */
export interface PolicyRecord {
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** Of its content; undefined where it is broken. */
  readonly hash: string | undefined;
  readonly problems: readonly string[];
  /** Ours, as they are stored. */
  readonly stored: readonly StoredCondition[];
  /** Those of others, as they are. */
  readonly foreign: readonly unknown[];
}

export interface StoredCondition extends Condition {
  readonly lastTransitionTime: string;
}

export interface PolicyReading {
  readonly policy?: Policy | undefined;
  readonly problems: readonly string[];
}

const types: readonly Condition['type'][] = ['Accepted', 'Programmed'];
const statuses: readonly Condition['status'][] = ['True', 'False', 'Unknown'];

export function readRecord(
  object: unknown,
  collection: PolicyCollection,
  readPolicy: (object: unknown) => PolicyReading,
): PolicyRecord {
  const slim = slimPolicy(object, collection);
  const { policy, problems } = readPolicy(slim);
  return {
    apiVersion: text(slim, 'apiVersion') ?? '',
    namespace: text(object, 'metadata', 'namespace') ?? '',
    name: text(object, 'metadata', 'name') ?? '',
    uid: text(object, 'metadata', 'uid') ?? '',
    resourceVersion: text(object, 'metadata', 'resourceVersion') ?? '',
    generation: numberOf(field(object, 'metadata', 'generation')),
    hash: policy && policyHash(policy),
    problems,
    stored: storedConditions(object),
    foreign: items(object, 'status', 'conditions').filter(
      (condition) => !types.some((type) => type === text(condition, 'type')),
    ),
  };
}

/** Our conditions of an object; those of others are theirs. */
export function storedConditions(object: unknown): readonly StoredCondition[] {
  return items(object, 'status', 'conditions').flatMap((condition) => {
    const type = types.find((each) => each === text(condition, 'type'));
    const status = statuses.find((each) => each === text(condition, 'status'));
    if (type === undefined || status === undefined) return [];
    return [
      {
        type,
        status,
        reason: text(condition, 'reason') ?? '',
        message: text(condition, 'message') ?? '',
        observedGeneration: numberOf(field(condition, 'observedGeneration')),
        lastTransitionTime: text(condition, 'lastTransitionTime') ?? '',
      },
    ];
  });
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
