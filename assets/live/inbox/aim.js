// Click protection: a click counts for the element that a person saw under the pointer. If a row
// slid under a resting pointer within the last half second, the click goes to the row that was
// there before, or nowhere.

import { goTo } from "../navigation/router.js";

// A person sees, decides and presses in about this time.
const REACTION_MS = 500;
// So long what moves under the pointer is what the person scrolls.
const SCROLLS_MS = 400;
const TARGETS = "a, button, summary, select, input, textarea, [role^=menuitem]";
// Where a wrong click does harm: rows, the open patient's header, what leads to messages.
const GUARDED = ".conversation-list-scroll *, .conversation-list-news, .thread-header *, .jump-button";
const ROW = "[data-testid=conversation-row]";

let place = null;
// What is under the pointer, and what was until something moved.
let now = null;
let before = null;
let changedAt = -Infinity;
let scrolledAt = -Infinity;
let shiftedAt = -Infinity;
// The press that is under way and hit what had just slid under it.
let missed = null;

const within = (ms, moment) => performance.now() - moment < ms;

/** Note that content is about to move on the screen without a person's action. */
export function shifted() {
  shiftedAt = performance.now();
}

const targetOf = ({ target }) => target.closest?.(TARGETS) ?? null;

function moved(event) {
  if (event.pointerType === "touch") return;
  place = { x: event.clientX, y: event.clientY };
  now = targetOf(event);
  changedAt = -Infinity;
}

// Some events have fractions of a pixel, some do not.
const rests = ({ clientX, clientY }) =>
  place !== null && Math.abs(place.x - clientX) <= 1 && Math.abs(place.y - clientY) <= 1;

// Browsers tell also of what comes under a pointer that rests.
function cameUnder(event) {
  if (event.pointerType === "touch") return;
  if (rests(event) && !within(SCROLLS_MS, scrolledAt)) changed(targetOf(event));
  else moved(event);
}

function changed(target) {
  if (target === now) return;
  // Of several changes in a row, the person saw what was there before the first.
  if (!within(REACTION_MS, changedAt)) before = now;
  now = target;
  changedAt = performance.now();
}

// Menus open when the button goes down, links when it is up again: this is decided once for both.
function pressed(event) {
  missed = null;
  if (event.pointerType === "touch" || !rests(event)) return;
  const target = targetOf(event);
  // Too recent for the browser to have told; or one that does not tell, long ago.
  if (within(REACTION_MS, shiftedAt)) changed(target);
  if (!within(REACTION_MS, changedAt) || now !== target || before === target) return;
  // Where nothing could be pressed before, nobody aimed at something else.
  if (!before || !(before.matches(GUARDED) || target?.matches(GUARDED))) return;
  missed = { meant: before };
  swallow(event);
}

function clicked(event) {
  // Keys and assistive technology name their target themselves.
  if (event.detail === 0 || missed === null) return;
  const { meant } = missed;
  missed = null;
  swallow(event);
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (plain && meant?.isConnected && meant.closest(ROW)) goTo(meant.getAttribute("href"));
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

if (typeof document !== "undefined") {
  document.addEventListener("pointermove", moved, { capture: true, passive: true });
  document.addEventListener("pointerover", cameUnder, { capture: true, passive: true });
  document.addEventListener("wheel", () => (scrolledAt = performance.now()), {
    capture: true,
    passive: true,
  });
  document.addEventListener("pointerdown", pressed, { capture: true });
  document.addEventListener("mousedown", (event) => missed && swallow(event), { capture: true });
  document.addEventListener("click", clicked, { capture: true });
}
