import { CitadelError } from '../../kernel/index.ts';

const consequence =
  'proxies are given no CRL once it signs, for they would refuse whatever it issues, and take every certificate that was revoked';
const wayOut = 'give it a certificate with cRLSign in its key usage';

/** For a plan. @param noCrls why the next issuing authority signs no CRL; undefined: it does. Pure */
export function withoutCrlsWarning(noCrls: string | undefined, isRevoking: boolean): readonly string[] {
  if (noCrls === undefined) return [];
  const order = isRevoking
    ? 'a start is refused while something that is valid is revoked'
    : 'a start is refused without --without-crls';
  return [`${noCrls}: ${consequence}; ${wayOut}; ${order}`];
}

/**
 * What was revoked must not be good again because of another root, and that nothing can be revoked any more is an operator's to
 * say. Pure.
 * @throws CitadelError FailedPrecondition
 */
export function requireCrls(
  noCrls: string | undefined,
  { isRevoking, accepted }: { readonly isRevoking: boolean; readonly accepted: boolean },
): void {
  if (noCrls === undefined) return;
  if (isRevoking)
    throw new CitadelError(
      'FailedPrecondition',
      `${noCrls}, and certificates are revoked that would be good again: ${consequence}; ${wayOut}, or wait until what is revoked has ended (citadel certificate revocations)`,
    );
  if (!accepted)
    throw new CitadelError(
      'FailedPrecondition',
      `${noCrls}: ${consequence}; ${wayOut}, or begin with --without-crls if that is to be so`,
    );
}
