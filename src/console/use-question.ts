import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { failing, post } from './call.ts';

export interface Question<T> {
  readonly answer: T | undefined;
  /** Whether the answer is one to an earlier question than the one that stands there now. */
  readonly isOld: boolean;
  /** Why there is no answer; empty where nothing went wrong. */
  readonly problem: string;
  readonly isAsked: boolean;
  readonly ask: () => void;
}

interface Standing<T> {
  readonly answer?: T;
  readonly of: string;
  readonly problem: string;
  readonly isAsked: boolean;
}

/**
 * A question to the server, whenever `ask` is called. The last one counts: an earlier one's answer that comes later is
 * dropped, as is one for which nobody waits any more.
 */
export function useQuestion<T>(path: string, body: object, onEnded: () => void): Question<T> {
  const key = JSON.stringify(body);
  const running = useRef<AbortController>(undefined);
  const [standing, setStanding] = useState<Standing<T>>({ of: key, problem: '', isAsked: false });
  useEffect(() => () => running.current?.abort(), []);
  const ask = useCallback(() => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    setStanding((before) => ({ ...before, problem: '', isAsked: true }));
    const asking = async () => {
      const answer = await post<T>(path, body, own.signal);
      if (!own.signal.aborted) setStanding({ answer, of: key, problem: '', isAsked: false });
    };
    asking().catch((error: unknown) => {
      if (own.signal.aborted) return;
      failing((problem) => setStanding({ of: key, problem, isAsked: false }), onEnded)(error);
    });
  }, [path, key, onEnded]);
  const { answer, of, problem, isAsked } = standing;
  return { answer, isOld: answer !== undefined && of !== key, problem, isAsked, ask };
}
