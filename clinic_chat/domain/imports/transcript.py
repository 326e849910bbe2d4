"""Transcript parser: lines of `Doctor: …` and `Patient: …` become turns of a chat."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clinic_chat.domain.characters import clean_text, is_visible
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.messages.inbound import INBOUND_LIMIT

# A full stop in place of the colon counts only after a label with an underscore, because a
# sentence may begin with any other word.
_LABELLED = re.compile(
    r"\s*(?:(?P<label>[a-z][a-z0-9_]*)\s*:|(?P<typed>[a-z]+_[a-z0-9_]+)\.)(?P<said>.*)",
    re.IGNORECASE,
)
# Where a sentence ends and another speaker's label follows on the same line.
_NEXT_SPEAKER = re.compile(r"(?<=[.?!…])[\"”’)]*\s*(?=(?P<label>[A-Z][A-Za-z0-9_]*)\s*:(?:\s|\Z))")
_QUOTES = {'"': '"', "“": "”", "'": "'"}
_WORD = re.compile(r"[a-z]+|[0-9]+")
_SIDES = {"doctor", "patient", "guest"}
# Misspelt labels in the MTS-Dialog corpus.
_MISSPELT = {"docotr": "doctor", "gest": "guest", "clinican": "clinician"}


@dataclass(frozen=True)
class Turn:
    """One line of a dialogue; `speaker` is in words, such as "Guest family 2"."""

    speaker: str
    body: str

    @property
    def by_doctor(self) -> bool:
        """Whether the clinic's side said it; the other side is patients and their guests."""
        return self.speaker.startswith("Doctor")

    @property
    def by_patient(self) -> bool:
        """Whether the patient said it in person."""
        return self.speaker == "Patient"


def parse_dialogue(text: str) -> list[Turn]:
    """The turns of a dialogue: every line with visible text is one.

    A line without a speaker belongs to the speaker before it. "Doctor", "Patient" and "Guest",
    each with or without more words and a number (`Guest_family_2`), are speakers, also in the
    middle of a line after the end of a sentence. Quotation marks around the whole dialogue, or
    around a line with its speaker, are removed.

    Raises:
        InvalidInput: `dialogue_empty`, `speaker_missing` (the first line with visible text has
            none), or `body_too_long` (a turn of over 65,536 characters).
    """
    turns: list[Turn] = []
    speaker: str | None = None
    for line in _lines(text):
        named, words = _speaker_and_words(line)
        speaker = named or speaker
        said = clean_text(words).strip()
        if not is_visible(said):
            continue
        if speaker is None:
            raise InvalidInput("the dialogue does not begin with a speaker", code="speaker_missing")
        if len(said) > INBOUND_LIMIT:
            raise InvalidInput(
                f"turn {len(turns) + 1}: the body has over {INBOUND_LIMIT} characters",
                code="body_too_long",
            )
        turns.append(Turn(speaker, said))
    if not turns:
        raise InvalidInput("the dialogue is empty", code="dialogue_empty")
    return turns


def normal_newlines(text: str) -> str:
    """`text` with `\\n` for every kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(text: str) -> Iterator[str]:
    """The parts of the text that one speaker says, with the label where there is one."""
    for line in _without_quotes(normal_newlines(text)).split("\n"):
        inner = _unwrapped(line.strip())
        whole = inner if _speaker_and_words(inner)[0] else line
        start = 0
        for gap in _NEXT_SPEAKER.finditer(whole):
            if _speaker(gap["label"]):
                yield whole[start : gap.start()] + gap[0].rstrip()
                start = gap.end()
        yield whole[start:]


def _without_quotes(text: str) -> str:
    text = text.strip()
    inner, first = _unwrapped(text), text.partition("\n")[0].strip()
    each_line = first != text and _unwrapped(first) != first
    if inner != text and not each_line and _speaker_and_words(inner.partition("\n")[0])[0]:
        return inner
    # A closing quotation mark without its opening one.
    return text[:-1] if text.endswith('"') and text.count('"') % 2 else text


def _unwrapped(text: str) -> str:
    closing = _QUOTES.get(text[:1])
    return text[1:-1].strip() if closing and len(text) > 1 and text.endswith(closing) else text


def _speaker_and_words(line: str) -> tuple[str | None, str]:
    match = _LABELLED.fullmatch(line)
    speaker = match and _speaker(match["label"] or match["typed"])
    return (speaker, match["said"]) if match and speaker else (None, line)


def _speaker(label: str) -> str | None:
    words = [_MISSPELT.get(word, word) for word in _WORD.findall(label.lower())]
    return " ".join(words).capitalize() if words and words[0] in _SIDES else None
