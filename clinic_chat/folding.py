"""Text folding: the form in which texts are compared, without case, accents and look-alikes."""

import re
import unicodedata

_APOSTROPHES = "’‘‛′‵`´ʹʻʼʽˈˊˋ՚׳Ꞌꞌ"
_DASHES = "‐‑‒–—―−⁃˗֊־"
_QUOTES = "“”„‟″«»"
# Letters that Unicode does not decompose into a letter and an accent.
_LETTERS = dict(
    zip("øđðłħŧıæœþ", ["o", "d", "d", "l", "h", "t", "i", "ae", "oe", "th"], strict=True)
)
_LOOK_ALIKES = str.maketrans(
    dict.fromkeys(_APOSTROPHES, "'") | dict.fromkeys(_DASHES, "-") | dict.fromkeys(_QUOTES, '"')
)
_PLAIN_LETTERS = str.maketrans(_LETTERS)
# Unicode's Default_Ignorable_Code_Point without the format characters (category Cf), and the
# braille blank, which is invisible too.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


def fold(value: str) -> str:
    """`value` without case, accents, invisible characters and differences of punctuation.

    Words are separated by one space. Compatibility forms (NFKC) are equal, as are apostrophes,
    dashes and quotes that look alike; "ß" is "ss".
    """
    # Look-alikes are replaced twice: some result from decomposition, some decompose into a blank.
    text = unicodedata.normalize("NFD", value).translate(_LOOK_ALIKES)
    text = unicodedata.normalize("NFKD", text).translate(_LOOK_ALIKES)
    kept = (c for c in text if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    text = _INVISIBLE.sub("", "".join(kept)).casefold().translate(_PLAIN_LETTERS)
    return " ".join(text.split())


def search_key(name: str) -> str:
    """The search form of a name: folded, followed by its words with ' or - again without them.

    "D'Ávila" is found as "d'avila" and as "davila", "Ana-Lúcia" as "analucia" too.
    """
    folded = fold(name)
    joined = (re.sub(r"['-]", "", word) for word in folded.split() if re.search(r"['-]", word))
    return " ".join([folded, *filter(None, joined)])


WORD_LIMIT = 32
"""The length of an indexed word; a longer one is indexed as several that overlap."""
PART_LIMIT = 16
"""The length of an indexed part of a word, half of a word's."""


def indexed_words(text: str) -> set[str]:
    """The words of a folded text, each at most 32 characters long.

    Any 16 characters in a row of a longer word are together in one of its pieces.
    """
    return {
        word[start : start + WORD_LIMIT]
        for word in text.split()
        for start in range(0, max(1, len(word) - PART_LIMIT), PART_LIMIT)
    }


def word_parts(word: str) -> set[str]:
    """What a word goes on with from each of its characters, at most 16 characters of it.

    A text is a part of the word exactly when its first 16 characters begin one of these.
    """
    return {word[start : start + PART_LIMIT] for start in range(len(word))}
