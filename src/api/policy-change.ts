import type { PolicyChangeRequest, PolicyRestore, PolicyService } from '../domain/policy/index.ts';
import { CitadelError } from '../kernel/index.ts';

/**
 * The change that somebody asks for: their own texts, or what an earlier revision had.
 * @throws CitadelError InvalidArgument for both at once; as PolicyService.restoring does
 */
export async function requestedChange(
  policies: Pick<PolicyService, 'restoring'>,
  { texts, remove }: Pick<PolicyChangeRequest, 'texts' | 'remove'>,
  restore: PolicyRestore | undefined,
): Promise<PolicyChangeRequest> {
  if (!restore) return { texts, remove };
  if (texts.length + remove.length > 0)
    throw new CitadelError('InvalidArgument', 'a change restores a revision, or has texts: not both');
  return policies.restoring(restore);
}
