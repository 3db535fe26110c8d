import { CitadelError } from '../../kernel/index.ts';
import { classicAlgorithms, type KeyAlgorithm } from '../../pki/index.ts';
import type { EffectPorts } from './effects.ts';
import type { Unable } from './verifiers.ts';

const mostNamed = 5;

/**
 * Whether a root of this algorithm may be made at all.
 * @throws CitadelError FailedPrecondition where it is an experiment that is not switched on; InvalidArgument where the home
 *   of the new key does not make such keys
 */
export async function requireOffered(
  algorithm: KeyAlgorithm,
  { mlDsaAuthorities, newKeys }: Pick<EffectPorts, 'newKeys'> & { readonly mlDsaAuthorities?: boolean },
): Promise<void> {
  // A classic one that the home lacks is said by the home itself, which may be away now.
  if (algorithm !== 'ml-dsa-65') return;
  if (!mlDsaAuthorities)
    throw new CitadelError(
      'FailedPrecondition',
      `roots of ${algorithm} are an experiment: set experimental.mlDsaAuthorities: true in the server's configuration, and restart it`,
    );
  const { algorithms = classicAlgorithms, backend } = await newKeys();
  if (!algorithms.some((each) => each === algorithm))
    throw new CitadelError(
      'InvalidArgument',
      `the ${backend} key home makes no keys of ${algorithm}, but of ${algorithms.join(', ')}`,
    );
}

const mostRecorded = 50;

/** For the record. */
export function whoAll(unable: readonly Unable[]): string {
  const more = unable.length - mostRecorded;
  return [...unable.slice(0, mostRecorded).map(who), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function who({ name, proxyKey }: Unable): string {
  return proxyKey === '' ? name : `${name} (${proxyKey})`;
}

/** @throws CitadelError FailedPrecondition that names them, where some could not verify what is under the new root */
export function requireVerifiers(algorithm: KeyAlgorithm, unable: readonly Unable[]): void {
  if (unable.length === 0) return;
  const named = unable.slice(0, mostNamed).map((each) => `${who(each)}: ${each.why}`);
  const more = unable.length - named.length;
  throw new CitadelError(
    'FailedPrecondition',
    `${unable.length} cannot verify certificates under a root of ${algorithm}, or cannot tell, and would be cut off: ${[
      ...named,
      ...(more > 0 ? [`${more} more, named by citadel rotate start without --yes`] : []),
    ].join('; ')}`,
  );
}
