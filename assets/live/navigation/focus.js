// Where the keyboard's focus goes from one part of the screen to another.

/** Put the focus into the message box; whether there is one. */
export function focusComposer() {
  const box = document.querySelector("[data-testid=composer] textarea");
  box?.focus();
  return Boolean(box);
}
