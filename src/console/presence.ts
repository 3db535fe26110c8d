/**
 * Milliseconds without a key or a pointer after which nobody is taken to be here. What the page asks by itself counts as use
 * of the session: of a page that somebody has left it would never end.
 */
const longest = 5 * 60_000;

let seen = performance.now();
for (const kind of ['keydown', 'pointerdown', 'pointermove', 'wheel'])
  document.addEventListener(
    kind,
    () => {
      seen = performance.now();
    },
    { capture: true, passive: true },
  );

/** Whether somebody looks at the page, as far as it can be told. */
export function isSomebodyHere(): boolean {
  return document.visibilityState === 'visible' && performance.now() - seen < longest;
}
