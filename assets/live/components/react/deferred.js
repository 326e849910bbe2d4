// Deferred drawing: draws large parts in short slices, between which the page responds.

import { useDeferredValue, useEffect, useState } from "react";
import { flushSync } from "react-dom";

// Every change elsewhere begins the drawing anew, so a busy clinic could put it off for seconds.
const AT_ONCE_AFTER_MS = 500;

/**
 * `ready`, true only after the parts that show with it are drawn: React draws them in the
 * background, a few milliseconds at a time, and shows them whole. It turns false at once.
 */
export function useSlices(ready) {
  const drawn = useDeferredValue(ready, false);
  const [overdue, setOverdue] = useState(false);
  const waits = ready && !drawn;

  useEffect(() => {
    if (!waits) return undefined;
    const timer = window.setTimeout(() => flushSync(() => setOverdue(true)), AT_ONCE_AFTER_MS);
    return () => {
      window.clearTimeout(timer);
      setOverdue(false);
    };
  }, [waits]);

  return ready && (drawn || overdue);
}
