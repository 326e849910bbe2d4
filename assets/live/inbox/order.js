// Held order: while somebody aims at the conversation list, every row keeps its place and news is
// collected. The order settles when they leave, ask for it, or do not move for 2 s. Otherwise a row
// could slide under the pointer, and another patient's conversation would open.

const SETTLE_MS = 2000;

const aiming = new Set();
let held = null;
let outdated = false;
let movedAt = 0;
let timer = null;
let whenSettled = () => {};
let whenMoving = () => {};
let last = [];

/** Call `listener` when the rows may be sorted again. */
export function onSettled(listener) {
  whenSettled = listener;
}

/** Call `listener` before the rows on the screen change places. */
export function onMoving(listener) {
  whenMoving = listener;
}

/** Hold the order while somebody aims at the list with a `device`; repeated while they move. */
export function hold(device) {
  aiming.add(device);
  movedAt = performance.now();
}

/** Release the hold of a `device`. */
export function release(device) {
  if (!aiming.delete(device) || aiming.size > 0) return;
  window.clearTimeout(timer);
  timer = null;
  if (!held) return;
  held = null;
  whenSettled();
}

/** Sort the rows again, because another view of the list, or the news, was asked for. */
export function settle() {
  outdated = true;
  whenSettled();
}

/**
 * The rows in the order of the screen.
 * @param {object[]} rows the matching rows, in their true order
 * @param {(id: string) => object | undefined} find a row by id, also one that matches no more
 * @param {(a: object, b: object) => number} compare the true order
 * @returns the rows, and the number of conversations with news that are not in their true place
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
