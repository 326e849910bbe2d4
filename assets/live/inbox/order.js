// The order of the conversation list while somebody aims at it: every row keeps its place, what
// arrives is gathered, and the order settles when they leave, ask for it, or do not move for 2 s.
// Otherwise a row slides under the pointer and another patient's conversation opens.

const SETTLE_MS = 2000;

const aiming = new Set();
let held = null;
let outdated = false;
let movedAt = 0;
let timer = null;
let whenSettled = () => {};
let whenMoving = () => {};
let last = [];

/** Call `listener` when the rows may be arranged anew. */
export function onSettled(listener) {
  whenSettled = listener;
}

/** Call `listener` before the rows on the screen change places. */
export function onMoving(listener) {
  whenMoving = listener;
}

/** Somebody aims at the list with a `device`, or still does. */
export function hold(device) {
  aiming.add(device);
  movedAt = performance.now();
}

/** They do not any more. */
export function release(device) {
  if (!aiming.delete(device) || aiming.size > 0) return;
  window.clearTimeout(timer);
  timer = null;
  if (!held) return;
  held = null;
  whenSettled();
}

/** Arrange the rows as they stand now: another view of the list was asked for, or the news. */
export function settle() {
  outdated = true;
  whenSettled();
}

/**
 * The rows in the order in which they are shown.
 * @param {object[]} rows those that match, in their true order
 * @param {(id: string) => object | undefined} find a row by id, also one that matches no more
 * @param {(a: object, b: object) => number} compare the true order
 * @returns the rows, and how many conversations with news are not in their true place
 */
export function arrange(rows, find, compare) {
  if (aiming.size === 0) held = null;
  // What they aim at is what is on the screen, which is older than the rows that come now.
  else if (outdated || !held) held = holdNow(outdated || last.length === 0 ? rows : last);
  outdated = false;
  const arranged = held ? inHeldOrder(rows, find, compare) : { rows, news: 0 };
  if (last.some(({ id }, place) => id !== arranged.rows[place]?.id)) whenMoving();
  last = arranged.rows;
  return arranged;
}

const holdNow = (rows) => ({
  ids: rows.map(({ id }) => id),
  activity: new Map(rows.map(({ id, last_activity_at }) => [id, last_activity_at])),
  end: rows.at(-1) ?? null,
});

function inHeldOrder(rows, find, compare) {
  // Below the last row nothing is moved by what is added.
  for (const row of rows) {
    if (held.activity.has(row.id) || (held.end && compare(row, held.end) <= 0)) continue;
    held.ids.push(row.id);
    held.activity.set(row.id, row.last_activity_at);
    held.end = row;
  }
  const kept = held.ids.map(find).filter(Boolean);
  const places = new Map(kept.map(({ id }, place) => [id, place]));
  const news = rows.filter(
    ({ id, last_activity_at }, place) =>
      places.get(id) !== place && held.activity.get(id) !== last_activity_at,
  ).length;
  const settled = kept.length === rows.length && kept.every(({ id }, n) => id === rows[n].id);
  if (!settled && timer === null) settleIn(SETTLE_MS);
  return { rows: kept, news };
}

function settleIn(ms) {
  timer = window.setTimeout(() => {
    timer = null;
    const still = performance.now() - movedAt;
    if (still < SETTLE_MS) settleIn(SETTLE_MS - still);
    else settle();
  }, ms);
}
