// Error isolation: a failure in one function must not stop the functions after it.

/** The result of `run`, or undefined if it throws; the error is only reported on the console. */
export function safely(run, ...details) {
  try {
    return run(...details);
  } catch (error) {
    // The browser's own reporting would count as an error that nobody caught.
    console.error("Clinic Chat:", error);
    return undefined;
  }
}

/** Call every listener, also those after one that throws. */
export function tellAll(listeners, ...details) {
  for (const listener of [...listeners]) safely(listener, ...details);
}
