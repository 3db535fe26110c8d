import { TokenError } from './failure.ts';
import type { TokenChoice } from './protocol.ts';

/** What a token says of itself (CK_TOKEN_INFO). */
export interface PresentToken {
  readonly label: string;
  readonly serial: string;
  readonly flags: number;
}

const flag = { pinFinalTry: 0x20000, pinLocked: 0x40000 } as const;

/**
 * The token that is meant, if we may log in to it: a PIN that is wrong must not use up the last try, over however many
 * restarts. Pure.
 */
export function chooseToken<T extends PresentToken>(present: readonly T[], { kind, value }: TokenChoice): T {
  const [chosen, ...more] = present.filter((token) => token[kind] === value);
  if (!chosen) {
    const labels = present.map(({ label }) => label).filter((label) => label !== '');
    throw new TokenError({ kind: 'noToken', present: labels });
  }
  if (more.length > 0)
    throw new TokenError({ kind: 'severalTokens', serials: [chosen, ...more].map(({ serial }) => serial) });
  const locked = (chosen.flags & flag.pinLocked) !== 0;
  if (locked || (chosen.flags & flag.pinFinalTry) !== 0) throw new TokenError({ kind: 'pinAtRisk', locked });
  return chosen;
}
