"""Shapes that several endpoints take: JSON in camelCase."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from clinic_chat.domain.characters import well_formed
from clinic_chat.domain.queries.filters import SEARCH_LIMIT

MOST_AT_ONCE = 100
CURSOR_LENGTH = 100

ChannelText = Annotated[
    str, BeforeValidator(lambda value: well_formed(value) if isinstance(value, str) else value)
]
"""Text in which lone surrogates, which the validator would refuse, are replaced."""

Limit = Annotated[int, Query(description="At most so many.", ge=1, le=MOST_AT_ONCE)]
Cursor = Annotated[
    str,
    Query(description="`nextCursor` of the page before.", max_length=CURSOR_LENGTH),
]
Search = Annotated[
    str,
    Query(
        description="Words of the patient's names and parts of their phone numbers, in any order "
        "and without regard to accents and case; all must match.",
        max_length=SEARCH_LIMIT,
    ),
]


class StrictModel(BaseModel):
    """A request body: camelCase, no unknown fields, no conversions.

    `json_schema_extra` documents rules that the domain checks, so that each is checked only there.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True
    )
