import {
  type PolicyChangeRequest,
  type PolicyReading,
  type PolicyService,
  type PolicyWorld,
  readPolicies,
  withChanges,
  withPolicies,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { ConsoleChange } from '../../wire/console.ts';
import { needsControlPlane } from '../needs-control-plane.ts';
import { requestedChange } from '../policy-change.ts';

/** What messages call the text in the editor. */
export const source = 'editor';

export interface RestoringServices {
  /** Absent where this server has no control plane. */
  readonly policies: Pick<PolicyService, 'restoring'> | undefined;
}

/** @throws CitadelError as PolicyService.restoring does */
export function changeOf(
  { policies }: RestoringServices,
  { text, remove, restore }: ConsoleChange,
): Promise<PolicyChangeRequest> {
  const texts = text === '' ? [] : [{ source, text }];
  return requestedChange(needsControlPlane(policies), { texts, remove }, restore);
}

/** What is in the editor. @throws CitadelError InvalidArgument for a text that is broken */
export function readEditor(text: string): PolicyReading {
  const reading = readPolicies(text, { source });
  if (reading.problems.length === 0) return reading;
  throw new CitadelError('InvalidArgument', 'the text has problems: mend them first');
}

/** The world under the text in the editor. @throws CitadelError as `readEditor` does */
export function worldWith(before: PolicyWorld, text: string): PolicyWorld {
  return withPolicies(before, readEditor(text).policies);
}

/** The world as a change would make it. @throws CitadelError as `readEditor` does */
export function changedWorld(
  before: PolicyWorld,
  change: Pick<PolicyChangeRequest, 'texts' | 'remove'>,
): PolicyWorld {
  for (const { text } of change.texts) readEditor(text);
  return withChanges(before, change);
}
