/** Who asks, by which proof, and why. */
export interface RotationOrder {
  readonly by: string;
  readonly proof: string;
  readonly reason: string;
}

/** The server's own: what it does when evidence permits it. */
export const byItself: RotationOrder = { by: 'server', proof: 'none', reason: 'what it waited for has come' };
