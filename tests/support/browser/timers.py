"""Timers of the page that a test does without."""


def never_after(ms: int) -> str:
    """A script of a page in which timers of exactly `ms` milliseconds never end."""
    return f"""
        (() => {{
          const timeout = window.setTimeout;
          window.setTimeout = (run, ms, ...rest) => (ms === {ms} ? 0 : timeout(run, ms, ...rest));
        }})();
    """
