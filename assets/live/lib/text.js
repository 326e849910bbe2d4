// Display of people: initials, colours and forms of address.

/** Whether this is a person's name, and not the number shown for a person without one. */
export const isName = (text) => /^\p{L}/u.test(text);

/** One or two letters that stand for a name. */
export function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => signs(word)[0].toUpperCase()).join("") || "?";
}

/** The grapheme clusters of a text; its code points in browsers without Intl.Segmenter. */
export function signs(text) {
  if (!Intl.Segmenter) return [...text];
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

/** A hue that stays the same for the same id, in degrees. */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 3600;
  return (sum % 12) * 30;
}

/** The form of address: the first name, or else the whole name or the number. */
export function salutation(name, phone) {
  const words = name.split(/\s+/);
  // A title alone names nobody.
  const first = words.find((word) => /\p{L}/u.test(word) && !word.endsWith("."));
  return first ?? (name || phone);
}
