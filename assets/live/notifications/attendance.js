// Attendance: whether a person uses this tab. It is visible, it has the focus, and the mouse, a
// finger or a key was used a short while ago.

const ATTENDS_MS = 30_000;
const INPUTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

let lastInput = -Infinity;

/** Whether somebody uses this tab, as far as a browser can know. */
export const someoneAttends = () =>
  !document.hidden && document.hasFocus() && performance.now() - lastInput < ATTENDS_MS;

if (typeof window !== "undefined") {
  const heed = () => (lastInput = performance.now());
  // Who has just loaded the page or come back to it is there.
  heed();
  for (const input of INPUTS) window.addEventListener(input, heed, { capture: true, passive: true });
  window.addEventListener("focus", heed);
}
