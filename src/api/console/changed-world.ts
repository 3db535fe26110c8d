import {
  type PolicyLocator,
  type PolicyReading,
  type PolicyWorld,
  readPolicies,
  withoutStored,
  withPolicies,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { ConsoleChange } from '../../wire/console.ts';
import { changeOf, type RestoringServices } from './change.ts';
import { type ConsolePolicyServices, worldOf } from './policies.ts';

export interface ChangedWorld {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
  /** Where parts of policies stand in the change's texts. */
  readonly locate: PolicyLocator;
}

export interface ChangedWorldServices extends RestoringServices {
  readonly policyWorld: ConsolePolicyServices['policyWorld'];
}

/**
 * The world as it is, and as a change would make it.
 * @throws CitadelError InvalidArgument for a text that is broken; as `worldOf` and PolicyService.restoring do
 */
export async function changedWorld(
  services: ChangedWorldServices,
  change: ConsoleChange,
): Promise<ChangedWorld> {
  const before = worldOf(services);
  const { texts, remove } = await changeOf(services, change);
  const readings = texts.map(readWhole);
  const policies = readings.flatMap((reading) => reading.policies);
  return {
    before,
    after: withPolicies(withoutStored(before, remove), policies),
    locate: (policy, path) =>
      readings.find((reading) => reading.policies.includes(policy))?.locate(policy, path),
  };
}

function readWhole({ text, source }: { readonly text: string; readonly source: string }): PolicyReading {
  const reading = readPolicies(text, { source });
  if (reading.problems.length === 0) return reading;
  throw new CitadelError('InvalidArgument', 'the text has problems: mend them first');
}
