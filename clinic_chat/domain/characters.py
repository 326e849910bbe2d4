"""Text cleaning: removes unsafe and invisible characters, and cuts text between characters.

The browser cleans text that staff paste by the same rules (assets/live/outbox/clean_text.js);
a test compares the two.
"""

import re

import regex

# Vertical tab, form feed, next line, line and paragraph separator (Unicode 5.8, newline
# guidelines), besides the usual ones.
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Controls (C0 and C1) except tab and line feed, and explicit directions (UAX #9, 2.1 to 2.4):
# those can reverse digits, and "12 mg" must not read as "21 mg".
_DROPPED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, without the joiners,
# variation selectors and tags that emoji and Indic and Persian words are written with.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
_IN_NO_NAME = re.compile(f"[{_IGNORABLE}{REPLACEMENT}]")
# The empty Braille pattern and the null notehead have no glyph, but no property says so.
_SEEN = regex.compile(
    r"[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{M}\p{Default_Ignorable_Code_Point}\u2800\U0001d159]"
)
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_CLUSTER = regex.compile(r"\X")


def clean_text(text: str) -> str:
    """`text` with `\\n` for every line break, without unsafe characters.

    Control characters and explicit directions are removed; lone surrogates become U+FFFD.
    """
    return well_formed(_DROPPED.sub("", _LINE_BREAKS.sub("\n", text)))


def well_formed(text: str) -> str:
    """`text` with U+FFFD for lone surrogates, which no encoding can write."""
    return _LONE_SURROGATE.sub(REPLACEMENT, text)


def clean_line(text: str) -> str:
    """`text` on one line, single-spaced, without invisible characters that carry no meaning."""
    words = (word.lstrip(_JOINERS) for word in _IN_NO_NAME.sub("", clean_text(text)).split())
    return " ".join(word for word in words if is_visible(word))


def is_visible(text: str) -> bool:
    """Whether `text` has a visible character; a combining mark alone is not visible."""
    return _SEEN.search(text) is not None


def cut(text: str, limit: int) -> str:
    """At most the first `limit` code points, cut between grapheme clusters."""
    if len(text) <= limit:
        return text
    end = 0
    # Cluster boundaries depend on near characters only, so a long text is not read from its start.
    start = max(0, limit - 1000)
    for cluster in _CLUSTER.finditer(text, start):
        if cluster.end() > limit:
            break
        end = cluster.end()
    return text[: end or limit]
