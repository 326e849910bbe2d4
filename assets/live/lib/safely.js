// What fails on its own must not take anything else with it.

/** What `run` returns; when it throws, that is reported on the console and goes no further. */
export function safely(run, ...details) {
  try {
    return run(...details);
  } catch (error) {
    // The browser's own reporting would count as an error that nobody caught.
    console.error("Clinic Chat:", error);
    return undefined;
  }
}

/** Tell every listener, also those after one that throws. */
export function tellAll(listeners, ...details) {
  for (const listener of [...listeners]) safely(listener, ...details);
}
