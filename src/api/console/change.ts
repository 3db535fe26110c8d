import type { PolicyChangeRequest, PolicyService } from '../../domain/policy/index.ts';
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
