/** Milliseconds without another letter before a text is judged. */
const quiet = 150;

export interface Judging {
  /** Once its author rests. */
  later(document: string): void;
  forget(document: string): void;
}

/**
 * Judges documents one after the other, the one that was touched last before the others. Between two of them whatever has
 * arrived is answered: of a thousand open files each takes its time, and somebody waits for a word about one.
 * @param judge is called with a document for each `later`, or for several
 */
export function createJudging(judge: (document: string) => void): Judging {
  const resting = new Map<string, NodeJS.Timeout>();
  const due = new Set<string>();
  let isGoing = false;
  const next = () => {
    const document = [...due].at(-1);
    isGoing = document !== undefined;
    if (document === undefined) return;
    due.delete(document);
    judge(document);
    setImmediate(next);
  };
  const forget = (document: string) => {
    clearTimeout(resting.get(document));
    resting.delete(document);
    due.delete(document);
  };
  return {
    later(document) {
      forget(document);
      const ready = () => {
        resting.delete(document);
        due.add(document);
        if (isGoing) return;
        isGoing = true;
        setImmediate(next);
      };
      resting.set(document, setTimeout(ready, quiet));
    },
    forget,
  };
}
