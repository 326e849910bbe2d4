"""Shapes that several endpoints take or return: JSON in camelCase."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from clinic_chat.domain.messages import Direction, MessageStatus


class StrictModel(BaseModel):
    """A request body: camelCase, no unknown fields, no conversions.

    `json_schema_extra` documents rules that the domain checks, so that each has one home.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True
    )


class ViewModel(BaseModel):
    """A response body in camelCase."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        from_attributes=True,
        use_attribute_docstrings=True,
    )


class MessageBody(ViewModel):
    """A message. Times are ISO 8601 in UTC, empty when it has not happened."""

    id: str
    conversation_id: str
    seq: int
    """Its number in the conversation: 1, 2, 3 … without holes."""
    direction: Direction
    author_id: str
    """The staff member, empty for a patient."""
    author_name: str
    body: str
    client_id: str
    status: MessageStatus
    at: str
    delivered_at: str
    read_at: str
    failed_at: str
    failure: str
