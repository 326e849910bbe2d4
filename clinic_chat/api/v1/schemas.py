"""Shapes that several endpoints take: JSON in camelCase."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from clinic_chat.domain.characters import well_formed

ChannelText = Annotated[
    str, BeforeValidator(lambda value: well_formed(value) if isinstance(value, str) else value)
]
"""Text in which lone surrogates, which the validator would refuse, are replaced."""


class StrictModel(BaseModel):
    """A request body: camelCase, no unknown fields, no conversions.

    `json_schema_extra` documents rules that the domain checks, so that each is checked only there.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True
    )
