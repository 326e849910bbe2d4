"""Reads a written-down dialogue, lines of `Doctor: …` and `Patient: …`, as turns of a chat."""

import re
from dataclasses import dataclass

from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.text import clean_body

# A full stop in place of the colon counts only after a label that no sentence begins with.
_LABELLED = re.compile(
    r"\s*(?:(?P<label>[a-z][a-z0-9_]*)\s*:|(?P<typed>[a-z]+_[a-z0-9_]+)\.)(?P<said>.*)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]+|[0-9]+")
_SIDES = {"doctor", "patient", "guest"}
# The spellings that the MTS-Dialog corpus has besides the right ones.
_MISSPELT = {"docotr": "doctor", "gest": "guest", "clinican": "clinician"}


@dataclass(frozen=True)
class Turn:
    """One line of a dialogue; `speaker` is in words, such as "Guest family 2"."""

    speaker: str
    body: str

    @property
    def by_doctor(self) -> bool:
        """Whether the clinic said it: patients and their guests are the other side."""
        return self.speaker.startswith("Doctor")

    @property
    def by_patient(self) -> bool:
        """Whether the patient said it in person."""
        return self.speaker == "Patient"


def parse_dialogue(text: str) -> list[Turn]:
    """The turns of a dialogue: every line that says something is one.

    A line that names no speaker is by the speaker before it. "Doctor", "Patient" and "Guest",
    each with or without more words and a number (`Guest_family_2`), are speakers.

    Raises:
        InvalidInput: `dialogue_empty`, `speaker_missing` (before the first line that says
            something), or a rule of `clean_body` that one turn breaks.
    """
    turns: list[Turn] = []
    speaker: str | None = None
    for line in normal_newlines(text).split("\n"):
        named, said = _speaker_and_words(line)
        speaker = named or speaker
        if not said.strip():
            continue
        if speaker is None:
            raise InvalidInput("the dialogue does not begin with a speaker", code="speaker_missing")
        try:
            turns.append(Turn(speaker, clean_body(said)))
        except InvalidInput as error:
            raise InvalidInput(f"turn {len(turns) + 1}: {error}", code=error.code) from None
    if not turns:
        raise InvalidInput("the dialogue is empty", code="dialogue_empty")
    return turns


def normal_newlines(text: str) -> str:
    """`text` with `\\n` for every kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _speaker_and_words(line: str) -> tuple[str | None, str]:
    match = _LABELLED.fullmatch(line)
    if match is None:
        return None, line
    words = _WORD.findall((match["label"] or match["typed"]).lower())
    words = [_MISSPELT.get(word, word) for word in words]
    if words[0] not in _SIDES:
        return None, line
    return " ".join(words).capitalize(), match["said"]
