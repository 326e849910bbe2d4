"""The Content-Security-Policy: pages run only our own scripts, other answers nothing."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?")

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For responses that are no pages: shown in a browser, they do nothing (OWASP, REST Security)."""
OWN_SCRIPTS = "default-src 'self'"
"""For scripts, because a worker is bound by the policy of its script. It is short because a page
loads more than ten scripts, each with its headers."""


def content_security_policy(host: str, script_hashes: list[str]) -> str:
    """The policy for a page served from `host`, the request's Host header.

    Styles may be inline because Reflex's components style that way. Safari before 15.4 does
    not count websockets as 'self', so they are listed when the host is well formed.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host.lower()) else ""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            f"connect-src 'self'{sockets}",
            "font-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def inline_script_hashes(static_dir: Path) -> list[str]:
    """The CSP sources of every inline script in the built pages, like `'sha256-…'`, sorted.

    The list is empty when the directory is missing, as before the first build.
    """
    scripts: set[str] = set()
    for page in static_dir.rglob("*.html"):
        parser = _InlineScripts()
        # Browsers hash the text after normalising line breaks (HTML, preprocessing the input).
        parser.feed(page.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"))
        parser.close()
        scripts.update(parser.scripts)
    return sorted(f"'sha256-{_digest(script)}'" for script in scripts)


class _InlineScripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and "src" not in dict(attrs):
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._text is not None:
            self.scripts.append("".join(self._text))
            self._text = None


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
