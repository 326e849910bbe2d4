"""The rows of a large clinic, the same at every run."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from clinic_chat.domain.conversations.counts import NOBODY, read_key
from clinic_chat.domain.patients.patient import search_name
from clinic_chat.domain.patients.search_words import words_of
from clinic_chat.domain.tables import metadata
from clinic_chat.folding import word_parts

RARE_NAME = "Wojciechowski"
RARE_EVERY = 5_000
LAST_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SPACING = timedelta(seconds=30)
BODY = "Bom dia, preciso remarcar a consulta de quinta-feira para a semana que vem."
FIRST_NAMES = (
    "Maria Ana João José Antônio Francisca Carlos Paulo Adriana Juliana Márcia Fernanda "
    "Patrícia Aline Sandra Camila Amanda Bruna Jéssica Letícia Luís Pedro Lucas Gabriel "
    "Rafael Daniel Marcelo Bruno Eduardo Felipe Rodrigo Vera Lúcia Aparecida Terezinha "
    "Raimundo Sebastião Conceição Ubirajara Zoé"
)
LAST_NAMES = (
    "Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Costa Ribeiro "
    "Martins Carvalho Almeida Lopes Soares Fernandes Vieira Barbosa Rocha Dias Nascimento "
    "Andrade Moreira Nunes Marques Machado Mendes Freitas Cardoso Ramos Gonçalves Santana "
    "Teixeira Moura Castro Pinto Araújo D'Ávila Peixoto Quaresma Xavier Yamamoto Zanetti"
)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Volume:
    """The size of a clinic."""

    conversations: int
    messages_each: int


class Rows:
    """The rows of a clinic, table by table."""

    def __init__(self, clinic_id: UUID, people: list[UUID], volume: Volume) -> None:
        self.clinic_id = clinic_id
        self._people = people
        self._volume = volume
        self._chance = random.Random(20_000)  # noqa: S311 - the same every time, on purpose
        count = volume.conversations
        order = list(range(count))
        self._chance.shuffle(order)
        # Who wrote last did not come last.
        self._active_at = [LAST_AT - SPACING * place for place in order]
        self._names = [self._name(number) for number in range(count)]
        self._status = [self._some_status(place) for place in order]
        self._assignee = [self._some_assignee() for _ in range(count)]
        self._read = [[self._some_reading() for _ in people] for _ in range(count)]

    @property
    def _inbound(self) -> int:
        return (self._volume.messages_each + 1) // 2

    def id_of(self, table: str, number: int) -> UUID:
        """The id of a row: as those of the product, later ones are greater."""
        kind = sorted(metadata.tables).index(table)
        return UUID(int=0x0198_0000_0000_7000_8000 << 48 | kind << 40 | number)

    def phone(self, number: int) -> str:
        """The phone number of a patient in E.164."""
        return f"+55{11 + number % 80}9{60_000_000 + number * 37 % 39_999_999:08}"

    def tables(self) -> Iterator[tuple[str, Sequence[str], Iterable[Row]]]:
        """The name, the columns and the rows of each table, in the order of their references."""
        yield "patients", PATIENT, map(self._patient, self._numbers())
        yield "patient_identities", IDENTITY, map(self._identity, self._numbers())
        yield "patient_words", ("clinic_id", "word", "patient_id"), self._words()
        yield "word_parts", ("clinic_id", "part", "word"), self._parts()
        yield "conversations", CONVERSATION, map(self._conversation, self._numbers())
        yield "messages", MESSAGE, self._messages()
        yield "events", EVENT, self._events()
        yield "read_markers", MARKER, self._markers()
        yield "drafts", DRAFT, self._drafts()
        yield "conversation_totals", TOTAL, self._totals()

    def _numbers(self) -> range:
        return range(self._volume.conversations)

    def _pick(self, text: str) -> str:
        """One of the names, the first ones more often."""
        names = text.split()
        return names[int(len(names) * self._chance.random() ** 2)]

    def _name(self, number: int) -> str:
        first, middle, last = (
            self._pick(FIRST_NAMES),
            self._pick(LAST_NAMES),
            self._pick(LAST_NAMES),
        )
        return f"{first} {RARE_NAME if number % RARE_EVERY == 7 else middle} {last}"

    def _some_status(self, place: int) -> str:
        # Of a day's conversations many are open, of last year's few.
        waits = self._chance.random() < (0.3 if place < 300 else 0.002)
        return self._chance.choice(["open", "pending"]) if waits else "resolved"

    def _some_assignee(self) -> UUID | None:
        return self._chance.choice(self._people) if self._chance.random() < 0.5 else None

    def _some_reading(self) -> int:
        """How many of a conversation's inbound messages a person has read."""
        chance = self._chance.random()
        return self._inbound if chance < 0.9 else int(chance * self._inbound * 0.5)

    def _patient(self, number: int) -> Row:
        name = self._names[number]
        phone = self.phone(number)
        its = self.id_of("patients", number)
        return its, self.clinic_id, name, search_name([name]), phone, phone, LAST_AT

    def _identity(self, number: int) -> Row:
        its, patient = (self.id_of(name, number) for name in ("patient_identities", "patients"))
        phone = self.phone(number)
        return its, self.clinic_id, patient, "phone", phone, phone, LAST_AT

    def _conversation(self, number: int) -> Row:
        its, patient = (self.id_of(name, number) for name in ("conversations", "patients"))
        each = self._volume.messages_each
        key = self.clinic_id, patient, "api", self._status[number], self._assignee[number]
        preview = BODY, "text", "inbound", None, self._names[number], "sent"
        return its, *key, each, each, self._inbound, *preview, self._active_at[number], LAST_AT

    def _messages(self) -> Iterator[Row]:
        each = self._volume.messages_each
        for number in self._numbers():
            conversation = self.id_of("conversations", number)
            for seq in range(1, each + 1):
                place = number * each + seq
                at = self._active_at[number] - timedelta(minutes=each - seq)
                author, name = (None, self._names[number])
                if seq % 2 == 0:
                    author, name = self._people[0], "Pessoa"
                yield (
                    self.id_of("messages", place),
                    self.clinic_id,
                    conversation,
                    seq,
                    "outbound" if author else "inbound",
                    author,
                    name,
                    "text",
                    f"{seq}: {BODY}",
                    "api",
                    f"{place:012}",
                    "sent",
                    at,
                    "",
                )

    def _events(self) -> Iterator[Row]:
        each = self._volume.messages_each
        for number in self._numbers():
            subject = self.id_of("conversations", number)
            for version in range(1, each + 1):
                seq = number * each + version
                payload = {
                    "messageId": str(self.id_of("messages", seq)),
                    "seq": version,
                    "direction": "outbound" if version % 2 == 0 else "inbound",
                    "was": None,
                    "state": ["open", "", version],
                }
                kind = "message:new", "conversation"
                yield self.clinic_id, seq, *kind, subject, version, json.dumps(payload), LAST_AT

    def _markers(self) -> Iterator[Row]:
        for number in self._numbers():
            its = self.id_of("conversations", number)
            for person, read in zip(self._people, self._read[number], strict=True):
                if read:
                    yield self.clinic_id, person, its, read * 2 - 1, read, number + 1, LAST_AT

    def _drafts(self) -> Iterator[Row]:
        for number in self._numbers()[::10]:
            its = self.id_of("conversations", number)
            yield self.clinic_id, self._people[0], its, BODY, LAST_AT

    def _words(self) -> Iterator[Row]:
        rows = [
            (self.clinic_id, word, self.id_of("patients", number))
            for number in self._numbers()
            for word in words_of(search_name([self._names[number]]), self.phone(number))
        ]
        yield from sorted(rows)

    def _parts(self) -> Iterator[Row]:
        words = {word for _, word, _ in self._words()}
        yield from sorted(
            (self.clinic_id, part, word) for word in words for part in word_parts(word)
        )

    def _totals(self) -> Iterator[Row]:
        found = Counter(
            (self._assignee[number] or NOBODY, self._status[number]) for number in self._numbers()
        )
        for (assignee, status), total in found.items():
            yield self.clinic_id, assignee, status, total, total

    def read_counts(self) -> dict[UUID, dict[str, int]]:
        """What is kept with each person's membership."""
        found: dict[UUID, Counter[str]] = {person: Counter() for person in self._people}
        for number in self._numbers():
            place = self._assignee[number] or NOBODY, self._status[number]
            for person, read in zip(self._people, self._read[number], strict=True):
                if read >= self._inbound:
                    found[person][read_key(*place, person)] += 1
        return {person: dict(counts) for person, counts in found.items()}


PATIENT = ("id", "clinic_id", "name", "search_name", "phone_shown", "search_phones", "created_at")
IDENTITY = ("id", "clinic_id", "patient_id", "kind", "value", "shown", "created_at")
CONVERSATION = (
    *("id", "clinic_id", "patient_id", "channel", "status", "assignee_id", "version", "last_seq"),
    *("inbound_count", "preview", "preview_kind", "preview_direction", "preview_author_id"),
    *("preview_author", "preview_status", "last_activity_at", "created_at"),
)
MESSAGE = (
    *("id", "clinic_id", "conversation_id", "seq", "direction", "author_id", "author_name"),
    *("kind", "body", "origin", "client_id", "status", "created_at", "failure"),
)
EVENT = (
    *("clinic_id", "seq", "type", "subject_kind", "subject_id", "subject_version", "payload"),
    "at",
)
MARKER = ("clinic_id", "user_id", "conversation_id", "seq", "inbound_read", "version", "updated_at")
DRAFT = ("clinic_id", "user_id", "conversation_id", "body", "updated_at")
TOTAL = ("clinic_id", "assignee_id", "status", "conversations", "written")
