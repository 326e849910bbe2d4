// Reflex vars: passes the feeds' data to Reflex as ordinary state updates of the vars they own.

import { tellAll } from "../lib/safely.js";

const FIELD = "_rx_state_";

const owners = new Map();
let deliver = null;
let unschedule = null;
const dirty = new Set();
const watchers = new Set();

/**
 * Declare that `state`'s vars named in `compute()`'s result belong to this browser.
 * @param {string} state the full name of the Reflex state
 * @param {() => Record<string, unknown>} compute the current values by var name
 */
export function ownVars(state, compute) {
  owners.set(state, compute);
  invalidate(state);
}

/** Set Reflex's own listener for state updates. */
export function deliverWith(listener) {
  deliver = listener;
  if (dirty.size > 0) schedule();
}

/** A server's update with the browser's values of owned vars, so that none is blanked. */
export function overlayOwned(update) {
  if (!update?.delta) return update;
  let delta = update.delta;
  for (const [state, compute] of owners) {
    if (delta[state]) delta = { ...delta, [state]: { ...delta[state], ...named(compute()) } };
  }
  return delta === update.delta ? update : { ...update, delta };
}

/** Pass on the new values of a state's vars before the next frame, once per frame. */
export function invalidate(state) {
  if (!owners.has(state)) return;
  dirty.add(state);
  schedule();
}

function schedule() {
  if (unschedule) return;
  // Hidden tabs get no frames, and their title and counts must stay right too. Frames and timers
  // are numbered alike, so each is cancelled only as what it is.
  if (document.hidden) {
    const timer = window.setTimeout(flush, 0);
    unschedule = () => window.clearTimeout(timer);
  } else {
    const frame = window.requestAnimationFrame(flush);
    unschedule = () => window.cancelAnimationFrame(frame);
  }
}

/** Pass on pending values now, before the browser paints. */
export function flush() {
  unschedule?.();
  unschedule = null;
  if (!deliver) return;
  const delta = {};
  for (const state of dirty) delta[state] = named(owners.get(state)());
  dirty.clear();
  if (Object.keys(delta).length === 0) return;
  deliver({ delta });
  tellAll(watchers);
}

/** Call `watcher` after new values were passed on; returns a stop function. */
export function onShown(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function named(values) {
  const vars = {};
  for (const [name, value] of Object.entries(values)) vars[name + FIELD] = value;
  return vars;
}
