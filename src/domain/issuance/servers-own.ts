import type { IssuanceIntent } from '../ports/index.ts';

/** Whether a certificate is of a server's own listeners, which follow their authority by themselves. */
export function isServersOwn({ principal }: Pick<IssuanceIntent, 'principal'>): boolean {
  return principal.startsWith('server:');
}
