// Marked text: highlights parts of a text, such as the hits of a search.

import { createElement } from "react";

/** A text with marks; `hits` are [start, end] pairs of UTF-16 offsets in order. */
export function MarkedText({ text, hits }) {
  const parts = [];
  let end = 0;
  for (const [from, to] of hits ?? []) {
    parts.push(text.slice(end, from));
    parts.push(createElement("mark", { key: from }, text.slice(from, to)));
    end = to;
  }
  parts.push(text.slice(end));
  // Made anew: a page translator may have replaced the text nodes that React would change.
  return createElement("span", { key: JSON.stringify([text, hits]) }, ...parts);
}
