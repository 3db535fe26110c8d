import type { ErrorCode } from '../../kernel/index.ts';

/** What the issuance service counts. Seconds. */
export interface IssuanceMetrics {
  issued(seconds: number): void;
  refused(code: ErrorCode, seconds: number): void;
}

export const noIssuanceMetrics: IssuanceMetrics = { issued: () => {}, refused: () => {} };
