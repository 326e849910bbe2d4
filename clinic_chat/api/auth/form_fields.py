"""Reads the text fields of a posted form, within limits."""

from fastapi import Request
from starlette.exceptions import HTTPException

FIELD_BYTES = 4_096
FIELDS = 10


async def form_fields(request: Request) -> dict[str, str]:
    """The text fields of the form; none at all when it is malformed or too large.

    A field given twice counts as its last value.
    """
    try:
        form = await request.form(max_files=0, max_fields=FIELDS, max_part_size=FIELD_BYTES)
    except (HTTPException, ValueError):
        return {}
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return {name: value for name, value in fields.items() if _encodable(value)}


def _encodable(value: str) -> bool:
    # A multipart part may name an encoding that yields lone surrogates.
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return len(value) <= FIELD_BYTES
