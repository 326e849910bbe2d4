// The sign-in form's part that depends on the address.

import { createElement, Fragment, useEffect, useState } from "react";

export function SignInQuery({ messages }) {
  // The page is rendered at build time, when there is no address yet.
  const [query, setQuery] = useState(null);
  useEffect(() => setQuery(new URLSearchParams(window.location.search)), []);

  const error = query?.get("error");
  return createElement(
    Fragment,
    null,
    createElement("input", { type: "hidden", name: "next", value: query?.get("next") ?? "" }),
    createElement("p", { role: "alert", className: "sign-in-error" }, error && messages[error]),
  );
}
