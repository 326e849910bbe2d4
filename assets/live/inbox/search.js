// Search matching with the server's folding (clinic_chat/domain/queries/search.py): rows have their
// folded names, and the view has its folded words and numbers.

export const NO_TERMS = { words: [], numbers: [] };
const NO_HITS = [];

/** Whether every word is in a row's name, and every number in its name or phone number. */
export function matchesTerms({ patient_search: name, patient_phone: phone }, { words, numbers }) {
  const named = (word) => name.includes(word);
  return (
    words.every(named) &&
    numbers.every(
      (number) =>
        number.words.every(named) || number.phones.some((part) => phone.includes(part)),
    )
  );
}

/**
 * The hits of a search in a name.
 * @returns [start, end] pairs of UTF-16 offsets in order; the whole word if its letters do not
 *   correspond one to one with its folded form, such as "Straße"
 */
export function hitsIn(name, folded, { words, numbers }) {
  const wanted = [...words, ...numbers.flatMap((number) => number.words)];
  if (wanted.length === 0) return NO_HITS;
  const parts = folded.split(" ");
  const hits = [...name.matchAll(/\S+/gu)].flatMap(({ 0: word, index }, place) =>
    hitsInWord([...word], [...(parts[place] ?? "")], wanted).map(([from, to]) => [
      index + from,
      index + to,
    ]),
  );
  return hits.length > 0 ? hits : NO_HITS;
}

function hitsInWord(letters, folded, wanted) {
  const text = folded.join("");
  const aligned = letters.length === folded.length && text.length === folded.length;
  const marked = letters.map(() => false);
  for (const word of wanted) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      if (aligned) marked.fill(true, at, at + word.length);
      else marked.fill(true);
    }
  }
  const hits = [];
  let offset = 0;
  for (const [place, letter] of letters.entries()) {
    if (marked[place] && marked[place - 1]) hits.at(-1)[1] += letter.length;
    else if (marked[place]) hits.push([offset, offset + letter.length]);
    offset += letter.length;
  }
  return hits;
}
