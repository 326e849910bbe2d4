// Drawing what is large in short slices, between which the page answers.

import { useDeferredValue, useEffect, useState } from "react";
import { flushSync } from "react-dom";

// Every change elsewhere begins the drawing anew, so a busy clinic could put it off for seconds.
const AT_ONCE_AFTER_MS = 500;

/**
 * `ready`, true only when what shows with it is drawn: React draws it beside what is there, a few
 * milliseconds at a time, and shows it whole. It turns false at once.
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
