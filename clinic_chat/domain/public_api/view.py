"""What every view for programs is: JSON in camelCase, made of named fields."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ViewModel(BaseModel):
    """A response body in camelCase, made of named fields and never of an object's attributes."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )

    def data(self) -> dict[str, Any]:
        """The view as JSON data."""
        return self.model_dump(mode="json", by_alias=True)
