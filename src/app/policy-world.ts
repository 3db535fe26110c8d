import { readRegistry } from '../adapters/registry/index.ts';
import type { PolicyWorld, WorldSettings } from '../domain/policy/index.ts';
import { CitadelError, isCitadelError, systemErrorCode, unreadable } from '../kernel/index.ts';

export { DirectoryWatchers } from '../adapters/registry/index.ts';

/**
 * The world that a directory of the registry describes, without a server.
 * @throws CitadelError FailedPrecondition where a part of it is broken: what is worked out of the rest would be wrong
 */
export async function worldOfRegistry(directory: string, settings: WorldSettings): Promise<PolicyWorld> {
  const { content, problems } = await readRegistry(directory).catch((error: unknown) => {
    if (isCitadelError(error)) throw error;
    if (systemErrorCode(error) === 'ENOTDIR')
      throw new CitadelError(
        'FailedPrecondition',
        `the registry ${directory} is no directory; name the one of workloads, services and policies`,
        { cause: error },
      );
    throw unreadable(`the registry ${directory}`, error);
  });
  if (problems.length > 0) throw new CitadelError('FailedPrecondition', problems.join('\n'));
  return {
    settings,
    workloads: new Map(content.workloads.map((each) => [each.id, each])),
    services: new Map(content.services.map((each) => [each.id, each])),
    policies: content.policies,
    strict: new Set(),
  };
}
