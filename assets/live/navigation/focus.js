// Keyboard focus: moves it from one part of the screen to another.

/** Focus the message box; returns whether there is one. */
export function focusComposer() {
  const box = document.querySelector("[data-testid=composer] textarea");
  box?.focus();
  return Boolean(box);
}
