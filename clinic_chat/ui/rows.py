"""Blank rows: default values of states before data arrives."""

from dataclasses import fields
from typing import TypeVar, get_origin, get_type_hints

Row = TypeVar("Row")


def blank_row(row_class: type[Row]) -> Row:
    """A row of a dataclass with empty fields: "", 0, False or an empty list."""
    hints = get_type_hints(row_class)
    blanks = {
        field.name: (get_origin(hints[field.name]) or hints[field.name])()
        for field in fields(row_class)
    }
    return row_class(**blanks)
