import { setTimeout as delay } from 'node:timers/promises';
import { CitadelError } from '../kernel/index.ts';

/** Milliseconds that a server may be away, as when it is started again: what is watched goes on meanwhile. */
const longestAway = 60_000;
const interval = 500;

/** Asks again while the server is away. @throws CitadelError of the last try, or of one that another would not mend */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + longestAway;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isAway =
        error instanceof CitadelError && (error.code === 'Unavailable' || error.code === 'DeadlineExceeded');
      if (!isAway || Date.now() > until) throw error;
      await delay(interval);
    }
  }
}
