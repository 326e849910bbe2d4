// React error boundaries: an error in one part of the screen leaves the other parts standing.

import { Component, createElement } from "react";

import { useTranslate } from "../../lib/i18n.js";

// A part that fails again so soon after it was drawn anew needs the whole page anew.
const AGAIN_MS = 10_000;

let reported = false;

/**
 * Draws its children, or, when one of them threw, a short text and "Load again".
 *
 * `of` is the data of the children, such as a row of a list: while it stays the same, the parent
 * does not draw them again; when it changes, an error is cleared. `whole` marks a large part,
 * `element` is the HTML element of the text.
 */
export class Boundary extends Component {
  state = { failed: false };
  triedAt = -Infinity;

  static getDerivedStateFromError() {
    return { failed: true };
  }

  componentDidCatch(error) {
    if (reported) return;
    reported = true;
    // Reflex tells the server, which logs the error's type and nothing of its text.
    window.reportError(error);
  }

  shouldComponentUpdate(next, state) {
    return next.of === undefined || next.of !== this.props.of || state.failed !== this.state.failed;
  }

  componentDidUpdate(previous) {
    if (this.state.failed && previous.of !== this.props.of) this.setState({ failed: false });
  }

  tryAgain = () => {
    if (performance.now() - this.triedAt < AGAIN_MS) {
      window.location.reload();
      return;
    }
    this.triedAt = performance.now();
    this.setState({ failed: false });
  };

  render() {
    if (!this.state.failed) return this.props.children;
    const { whole, element } = this.props;
    return createElement(FailedPart, { whole, element, onRetry: this.tryAgain });
  }
}

function FailedPart({ whole, element = "div", onRetry }) {
  const t = useTranslate();
  return createElement(
    element,
    { className: "failed-part", "data-whole": whole || undefined, "data-testid": "failed-part" },
    createElement("span", { role: "alert" }, t("This could not be shown.")),
    createElement(
      "button",
      { type: "button", className: "button", onClick: onRetry },
      t("Load again"),
    ),
  );
}

/** The router's error page, for a page that could not be drawn at all. */
export function FailedPage() {
  return createElement(FailedPart, { whole: true, onRetry: () => window.location.reload() });
}
