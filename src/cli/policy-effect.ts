import {
  compareWorlds,
  type PolicyWorld,
  restoringChange,
  type WorldComparison,
  withChanges,
} from '../domain/policy/index.ts';
import type { PolicyObjectKey } from '../domain/ports/index.ts';
import type * as wire from '../gen/citadel/v1/operator.ts';
import { describeError } from '../kernel/index.ts';
import type { ConnectionOptions, OperatorConnection } from './connection.ts';
import { worldOfServer } from './policy-world.ts';
import { type ChangesSince, storedPolicies } from './stored-policies.ts';

/** What a change decides otherwise, of all that can be asked; or why that is not known, which keeps nobody from it. */
export type PolicyChangeEffect =
  | { readonly comparison: WorldComparison; readonly unknown?: never }
  | { readonly comparison?: never; readonly unknown: string };

interface Change {
  readonly texts: readonly { readonly source: string; readonly text: string }[];
  readonly remove: readonly PolicyObjectKey[];
  readonly restore?: wire.PolicyRestore | undefined;
}

/** What a change of what the server keeps would make of what holds now. It is worked out here, not by the server. */
export async function effectOfChange(
  options: ConnectionOptions,
  connection: OperatorConnection,
  change: Change,
): Promise<PolicyChangeEffect> {
  return effect(async () => {
    const before = await worldOfServer(options);
    return [before, withChanges(before, await resolved(connection, change))];
  });
}

/** What others have made of it since. */
export async function effectOfOthers(
  options: ConnectionOptions,
  { objects }: ChangesSince,
): Promise<PolicyChangeEffect> {
  return effect(async () => {
    const after = await worldOfServer(options);
    const texts = objects.flatMap(({ before }) =>
      before === undefined ? [] : [{ source: 'before', text: before }],
    );
    const remove = objects.flatMap(({ key, before }) => (before === undefined ? [key] : []));
    return [withChanges(after, { texts, remove }), after];
  });
}

async function effect(
  worlds: () => Promise<readonly [before: PolicyWorld, after: PolicyWorld]>,
): Promise<PolicyChangeEffect> {
  try {
    return { comparison: compareWorlds(...(await worlds())) };
  } catch (error) {
    return { unknown: describeError(error) };
  }
}

async function resolved(connection: OperatorConnection, change: Change): Promise<Change> {
  const { restore } = change;
  if (!restore) return change;
  const then = await storedPolicies(connection, Number(restore.revision));
  const now = await storedPolicies(connection);
  return restoringChange(then.policies, now.policies, { revision: then.revision, keys: restore.keys });
}
