import { CitadelError, type Clock } from '../../kernel/index.ts';
import type { MeshSnapshot } from '../mesh/index.ts';
import type { AuditLog, PolicyObjectKey, PolicyStore, StoredPolicy } from '../ports/index.ts';
import { policyHash } from './canonical.ts';
import { type PolicyRestore, restoringChange } from './changes/index.ts';
import { formatPolicyObject } from './format.ts';
import { type LintWarning, lintPolicies } from './lint/index.ts';
import { describeOrigin, type Policy } from './model.ts';
import {
  type PolicyLocator,
  type PolicyProblem,
  policyIdentity,
  policyKey,
  policyKeyOf,
  readPolicies,
} from './read/index.ts';
import { storedOrigin } from './stored.ts';

export interface PolicyAuthor {
  readonly subject: string;
  readonly proof: string;
}

export interface PolicyChangeRequest {
  readonly texts: readonly { readonly source: string; readonly text: string }[];
  readonly remove: readonly PolicyObjectKey[];
  /** The revision that it goes back to, for the record. */
  readonly restores?: number;
  /** The candidate that this makes hold. */
  readonly promotes?: string;
}

export interface PolicyEffect {
  readonly key: PolicyObjectKey;
  readonly kind: 'create' | 'update' | 'unchanged' | 'remove';
  /** Where the policy of this name stands that counts in its place: a source that comes first has one. */
  readonly shadowedBy?: string;
}

/** What a change would do. */
export interface PolicyPlan {
  /** Why it cannot be done; empty where it can. */
  readonly problems: readonly PolicyProblem[];
  /** What of it is legal but surely not meant, beside all other policies. */
  readonly warnings: readonly LintWarning[];
  readonly effects: readonly PolicyEffect[];
  /** The revision that it was worked out against. */
  readonly revision: number;
}

export interface PreparedChange extends PolicyPlan {
  readonly objects: readonly Omit<StoredPolicy, 'revision'>[];
  /** What is stored now of these objects. */
  readonly before: readonly StoredPolicy[];
}

export interface PolicyService {
  plan(request: PolicyChangeRequest): Promise<PolicyPlan>;
  /** The same, with what would be stored. */
  prepare(request: PolicyChangeRequest): Promise<PreparedChange>;
  /**
   * Does what `plan` says, all of it or nothing.
   * @param expected the revision that the author saw
   * @returns the new revision; that which was there when nothing had to be done
   * @throws CitadelError InvalidArgument where the plan has problems, FailedPrecondition where a part of it would have
   *   no effect, Aborted where another change came first
   */
  apply(
    request: PolicyChangeRequest,
    expected: number,
    author: PolicyAuthor,
    reason: string,
  ): Promise<PolicyPlan>;
  /**
   * The change that takes back to an earlier revision what is kept here.
   * @throws CitadelError NotFound where there was no such revision, or it and the present have none of a name
   */
  restoring(restore: PolicyRestore): Promise<PolicyChangeRequest>;
  /** What was kept at a revision, or is now. @throws CitadelError NotFound where there was no such revision */
  kept(revision?: number): ReturnType<PolicyStore['current']>;
  history: PolicyStore['history'];
}

export interface PolicyServiceOptions {
  readonly store: PolicyStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** What holds now, from all sources; undefined before it is known. */
  readonly snapshot: () => MeshSnapshot | undefined;
  /** Called after each change. */
  readonly changed: () => Promise<void>;
}

/** More is not written by hand, and would hold up the store. */
const mostObjects = 10_000;

/** The policies that authors keep here. */
export function createPolicyService(options: PolicyServiceOptions): PolicyService {
  const { store, audit, clock, changed } = options;
  async function prepare(request: PolicyChangeRequest): Promise<PreparedChange> {
    const { revision, policies: stored } = await store.current();
    const { policies, ...change } = decideChange(request, stored);
    const snapshot = options.snapshot();
    const warnings = warningsOf(policies, change.effects, snapshot);
    const touched = new Set(change.objects.map(policyKey));
    const before = stored.filter((each) => touched.has(policyKey(each)));
    return { ...change, before, effects: withShadows(change.effects, snapshot), warnings, revision };
  }

  return {
    plan: async (request) => {
      const { objects: _, before: __, ...told } = await prepare(request);
      return told;
    },
    prepare,
    async apply(request, expected, author, reason) {
      const { objects, before: _, ...told } = await prepare(request);
      refuseUnable(told, expected);
      if (objects.length === 0) return told;
      const at = clock.now();
      const { restores, promotes } = request;
      const back = restores === undefined ? undefined : `back to revision ${restores}`;
      const event = {
        at,
        action: actionOf(request),
        subject: author.subject,
        proof: author.proof,
        target: objects.map(policyKey).slice(0, 20).join(' '),
        reason: reason === '' ? 'none given' : reason,
        details: {
          objects: String(objects.length),
          expected: String(expected),
          ...(restores === undefined ? {} : { restores: String(restores) }),
          ...(promotes === undefined ? {} : { candidate: promotes }),
        },
      };
      await audit.append({ ...event, outcome: 'allowed' });
      const why = [back, reason].filter((part) => part !== undefined && part !== '').join(': ');
      const revision = await store
        .apply({
          expected,
          at,
          by: author.subject,
          reason: why,
          objects,
          ...(promotes === undefined ? {} : { promotes }),
        })
        .catch(async (error: unknown) => {
          await audit.append({ ...event, at: clock.now(), outcome: 'failed' });
          throw error;
        });
      await changed();
      return { ...told, revision };
    },
    async restoring(restore) {
      const [then, { policies: now }] = await Promise.all([store.at(restore.revision), store.current()]);
      const known = new Set([...then, ...now].map(policyKey));
      const missing = restore.keys.find((key) => !known.has(policyKey(key)));
      if (missing)
        throw new CitadelError(
          'NotFound',
          `${policyKey(missing)} was not kept here at revision ${restore.revision}, and is not now`,
        );
      return { ...restoringChange(then, now, restore), restores: restore.revision };
    },
    kept: async (revision) =>
      revision === undefined ? store.current() : { revision, policies: await store.at(revision) },
    history: (query) => store.history(query),
  };
}

type NewVersion = Omit<StoredPolicy, 'revision'>;

/** Pure: what a request makes of what is stored. */
function decideChange(
  { texts, remove }: PolicyChangeRequest,
  stored: readonly StoredPolicy[],
): {
  problems: PolicyProblem[];
  effects: PolicyEffect[];
  objects: NewVersion[];
  policies: readonly LocatedPolicy[];
} {
  const byKey = new Map(stored.map((each) => [policyKey(each), each]));
  const problems: PolicyProblem[] = [];
  const effects: PolicyEffect[] = [];
  const objects: NewVersion[] = [];
  const policies: LocatedPolicy[] = [];
  const seen = new Set<string>();
  for (const { source, text } of texts) {
    const reading = readPolicies(text, { source });
    problems.push(...reading.problems);
    for (const policy of reading.policies) {
      const key = policyIdentity(policy);
      if (seen.has(policyKey(key))) {
        problems.push(twice(policy, source));
        continue;
      }
      seen.add(policyKey(key));
      policies.push({ policy, locate: reading.locate });
      const before = byKey.get(policyKey(key));
      const hash = policyHash(policy);
      if (before?.hash === hash) {
        effects.push({ key, kind: 'unchanged' });
        continue;
      }
      effects.push({ key, kind: before ? 'update' : 'create' });
      objects.push({ ...key, text: formatPolicyObject(reading.valueOf(policy)), hash });
    }
  }
  for (const key of remove) {
    if (!byKey.has(policyKey(key)) || seen.has(policyKey(key))) {
      problems.push({
        source: policyKey(key),
        path: '',
        ...(seen.has(policyKey(key))
          ? { message: 'is named twice, or stands in the texts as well', mend: 'name it once' }
          : {
              message: 'is not kept here',
              mend: 'citadel policy status names its source: a file or a cluster is changed where it is',
            }),
      });
      continue;
    }
    seen.add(policyKey(key));
    effects.push({ key, kind: 'remove' });
    objects.push({ ...key, text: undefined, hash: '' });
  }
  if (objects.length > mostObjects)
    problems.push({ source: '', path: '', message: `more than ${mostObjects} objects in one change` });
  return { problems, effects, objects, policies };
}

/** Says of what would have no effect where the policy stands that counts in its place. */
function withShadows(
  effects: readonly PolicyEffect[],
  snapshot: MeshSnapshot | undefined,
): readonly PolicyEffect[] {
  const origins = new Map(snapshot?.policies.map((policy) => [policyKeyOf(policy), policy.meta.origin]));
  return effects.map((effect) => {
    const origin = origins.get(policyKey(effect.key));
    if (!origin || origin.source === storedOrigin(effect.key)) return effect;
    // Taking a shadowed one away changes nothing either, and ends the confusion.
    if (effect.kind === 'remove' || effect.kind === 'unchanged') return effect;
    return { ...effect, shadowedBy: describeOrigin(origin) };
  });
}

/** @throws CitadelError where a plan cannot be done, or is not of the revision that its author saw */
export function refuseUnable({ problems, effects, revision }: PolicyPlan, expected: number): void {
  const [first] = problems;
  if (first) throw new CitadelError('InvalidArgument', `the policies have problems: ${first.message}`);
  const shadowed = effects.find(({ shadowedBy }) => shadowedBy !== undefined);
  if (shadowed) throw withoutEffect(shadowed);
  if (revision !== expected) throw changedMeanwhile();
}

function actionOf({ restores, promotes }: PolicyChangeRequest): string {
  if (promotes !== undefined) return 'policy.shadow.promote';
  return restores === undefined ? 'policy.apply' : 'policy.rollback';
}

function withoutEffect({ key, shadowedBy }: PolicyEffect): CitadelError {
  return new CitadelError(
    'FailedPrecondition',
    `${policyKey(key)} would have no effect: the one of this name in ${shadowedBy} counts; change it there, or give this one another name`,
  );
}

interface LocatedPolicy {
  readonly policy: Policy;
  readonly locate: PolicyLocator;
}

/** Warnings about the policies of a change, as they would stand among all others. */
function warningsOf(
  changed: readonly LocatedPolicy[],
  effects: readonly PolicyEffect[],
  snapshot: MeshSnapshot | undefined,
): readonly LintWarning[] {
  if (!snapshot || changed.length === 0) return [];
  const touched = new Set(effects.map(({ key }) => policyKey(key)));
  const others = snapshot.policies.filter((policy) => !touched.has(policyKeyOf(policy)));
  const locators = new Map(changed.map(({ policy, locate }) => [policy, locate]));
  const warnings = lintPolicies(
    [...others, ...changed.map(({ policy }) => policy)],
    snapshot,
    (policy, path) => locators.get(policy)?.(policy, path),
  );
  return warnings.filter(({ object }) => touched.has(policyKey(object)));
}

function twice(policy: Policy, source: string): PolicyProblem {
  const object = policyIdentity(policy);
  const { line } = policy.meta.origin;
  return {
    source,
    ...(line === undefined ? {} : { line, column: 1 }),
    object,
    path: 'metadata.name',
    message: `${policyKey(object)} stands in another file as well`,
    mend: 'leave one of them out',
  };
}

function changedMeanwhile(): CitadelError {
  return new CitadelError('Aborted', 'the policies have been changed meanwhile: look at them again');
}
