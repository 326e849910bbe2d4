"""The schemas of the OpenAPI document as HTML: each with its fields, and links between them."""

from typing import Any

from clinic_chat.api.documentation.markup import escaped, inline, paragraphs


def shapes_html(schemas: dict[str, Any]) -> str:
    """Every object, by name; lists of values stand where they are used."""
    return "".join(
        _shape(name, schema, schemas)
        for name, schema in sorted(schemas.items())
        if "properties" in schema
    )


def fields_html(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """The fields of an object as a list of terms."""
    needed = schema.get("required", [])
    rows = [
        field_html(name, field, schemas, needed=name in needed)
        for name, field in schema.get("properties", {}).items()
    ]
    return f'<dl class="fields">{"".join(rows)}</dl>' if rows else ""


def field_html(name: str, field: dict[str, Any], schemas: dict[str, Any], *, needed: bool) -> str:
    """A field or a parameter: its name, what it may be, and what it means."""
    mark = ' <span class="needed">required</span>' if needed else ""
    told = inline(field.get("description", ""))
    return (
        f"<div><dt><code>{escaped(name)}</code> "
        f'<span class="type">{type_html(field, schemas)}</span>{mark}</dt><dd>{told}</dd></div>'
    )


def type_html(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """What a value may be, in words."""
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            target = schemas[name]
            if "properties" in target:
                return f'<a href="#{shape_id(name)}">{escaped(name)}</a>'
            return type_html(target, schemas)
        case {"enum": values}:
            return " · ".join(f"<code>{escaped(value)}</code>" for value in values)
        case {"const": value}:
            return f"<code>{escaped(value)}</code>"
        case {"anyOf": choices}:
            return " or ".join(type_html(choice, schemas) for choice in choices)
        case {"type": "array", "items": items}:
            return f"list of {type_html(items, schemas)}"
        case {"type": kind}:
            return escaped(kind) + _limits(schema)
    return "any value"


def shape_id(name: str) -> str:
    """The id of a schema's section on the page."""
    return f"shape-{escaped(name)}"


def _shape(name: str, schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    return (
        f'<section class="shape" id="{shape_id(name)}"><h3>{escaped(name)}</h3>'
        f"{paragraphs(schema.get('description', ''))}{fields_html(schema, schemas)}</section>"
    )


def _limits(schema: dict[str, Any]) -> str:
    least = schema.get("minimum", schema.get("minLength"))
    most = schema.get("maximum", schema.get("maxLength"))
    if most is None or most > 10**9:
        return ""
    unit = " characters" if schema["type"] == "string" else ""
    return f", {escaped(least)} to {escaped(most)}{unit}" if least else f", up to {most:,}{unit}"
