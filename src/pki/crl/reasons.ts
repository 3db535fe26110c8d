/** CRLReason (RFC 5280, 5.3.1), as far as it is offered here: nothing here is put on hold and taken off again. */
export const reasonCodes = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

export type RevocationReason = keyof typeof reasonCodes;

export function isRevocationReason(text: string): text is RevocationReason {
  return Object.hasOwn(reasonCodes, text);
}
