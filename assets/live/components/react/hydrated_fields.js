// Fields that can be used once the page's code runs. Pages are rendered in advance, and a browser
// would submit a form of Reflex's by itself before: with what was typed, a password too, in the
// address.

import { createElement, useEffect, useState } from "react";

/** Whether the page's code runs. */
export function useHydrated() {
  const [hydrated, setHydrated] = useState(false);
  useEffect(() => setHydrated(true), []);
  return hydrated;
}

export const HydratedFields = (props) =>
  createElement("fieldset", { ...props, disabled: !useHydrated() });
