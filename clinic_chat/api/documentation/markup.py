"""Text of the OpenAPI document as HTML: escaped, with code, bold words and paragraphs."""

import html
import json
import re
from typing import Any

_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


def escaped(text: object) -> str:
    """Text as HTML, also inside of an attribute."""
    return html.escape(str(text))


def inline(text: str) -> str:
    """A line of a description."""
    marked = _CODE.sub(r"<code>\1</code>", escaped(text))
    return _BOLD.sub(r"<strong>\1</strong>", marked)


def paragraphs(text: str) -> str:
    """A description; an empty line begins a new paragraph."""
    found = [part.strip() for part in re.split(r"\n\s*\n", text)]
    return "".join(f"<p>{inline(part)}</p>" for part in found if part)


def example(value: Any, title: str) -> str:
    """JSON that can be scrolled to its end with the keyboard."""
    text = escaped(json.dumps(value, ensure_ascii=False, indent=2))
    label = escaped(title)
    return f'<pre tabindex="0" role="region" aria-label="{label}"><code>{text}</code></pre>'
