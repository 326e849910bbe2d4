"""What is thrown at a server: values of any shape, packets nearly right, requests half finished."""

import json
from typing import Any

from hypothesis import strategies as st

from clinic_chat.realtime.gate import FRAMEWORK_EVENTS
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from tests.support import exposed_events

NAMESPACE = "/_event"
FIELDS = (
    *("conversationId", "body", "clientId", "seq", "ids", "feed", "key", "version", "locale"),
    *("status", "assigneeId", "userId", "nonce", "sound", "read", "around", "text", "cursor"),
    *("name", "payload", "router_data", "pathname", "asPath", "query", "hashes", "event"),
    *("live", "state_schema", "personal", "expected", "patient", "phone", "externalId", "at"),
)
LONG = ("x" * 5_000, "9" * 5_000, "[" * 3_000, "\U0001f600" * 2_000, "a\0b", "\ud800")
INTERESTING = (*LONG, "inbox", "messages", "conversations", "open", "en", "pt-BR", "../..", "")

texts = st.sampled_from(INTERESTING) | st.text(max_size=40) | st.uuids().map(str)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | texts
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), inner, max_size=8)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(FIELDS), values, max_size=8)

commands = st.sampled_from(sorted(exposed_events.commands()))
"""Everything that a tab may ask for, from the server's own registry."""
state_events = st.sampled_from(sorted({*exposed_events.EXPOSED, *FRAMEWORK_EVENTS}))
events = commands | st.sampled_from(["event", "connect", "disconnect", "*", ""]) | texts
arguments = st.lists(objects | values, max_size=3)


def dumped(value: object) -> str:
    """JSON with half characters as escapes, which a frame can carry."""
    return json.dumps(value)


@st.composite
def packets(draw: st.DrawFn) -> str:
    """A Socket.IO packet in an Engine.IO message, from right to senseless in any part."""
    kind = draw(st.sampled_from("0123456789z"))
    attachments = draw(st.sampled_from(["", "", "0-", "1-", "3-", "99999999999-", "-1-", "-"]))
    namespace = draw(
        st.sampled_from(
            [f"{NAMESPACE},", f"{NAMESPACE},", NAMESPACE, "", "/,", "/x?a=b,", "/" + "n" * 3_000]
        )
    )
    number = draw(st.sampled_from(["", "", "0", "7", "-1", "9" * 200]))
    data = draw(
        st.just("")
        | st.tuples(events, arguments).map(lambda one: dumped([one[0], *one[1]]))
        | values.map(dumped)
        | st.sampled_from(['{"_placeholder":true,"num":0}', "[", "{", '["event"', "[" * 2_000])
        | st.just('["event",{"_placeholder":true,"num":0}]')
    )
    return f"4{kind}{attachments}{namespace}{number}{data}"


frames = (
    packets()
    | st.text(max_size=30)
    | st.sampled_from(["", "1", "2", "2probe", "3", "5", "6", "4", "b", "bAAAA", "4" + "9" * 2_000])
)
"""Texts of Engine.IO, from right to senseless."""


def routes() -> list[tuple[str, str]]:
    """Method and path of everything that HTTP serves beside files, from its own registry."""
    from clinic_chat.api.app import create_api

    async def nobody(_session: Any) -> None:
        """No session ends here."""

    app = create_api(Services(Settings()), nobody)
    paths = app.openapi()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    found += [
        (method, getattr(route, "path", ""))
        for route in app.routes
        for method in sorted(getattr(route, "methods", None) or ())
        if isinstance(getattr(route, "path", None), str)
    ]
    pages = ["/", "/login", "/c/x", "/assets/missing.js", "/_event/", "/ping", "/_upload", "/x"]
    return sorted({*found, *(("GET", page) for page in pages)})


methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
header_values = st.sampled_from(
    ["", "x", "é", "x" * 5_000, "application/json", "text/plain; charset=utf-7", "gzip", "0", "-1"]  # noqa: RUF005 - two short lines
    + ["bytes=0-", "en;q=x", "9" * 30, "chunked", "null", "https://evil.example", "[::1", "1.1.1.1"]
)
header_names = st.sampled_from(
    ["Accept", "Accept-Language", "Authorization", "Content-Type", "Content-Encoding", "Cookie"]  # noqa: RUF005
    + ["If-None-Match", "If-Modified-Since", "Origin", "Range", "Referer", "X-Forwarded-For"]
    + ["X-Forwarded-Proto", "Sec-Fetch-Site", "Idempotency-Key", "Accept-Encoding", "Upgrade"]
    + ["X-Forwarded-Prefix"]
)
headers = st.dictionaries(header_names, header_values, max_size=4)
queries = st.sampled_from(
    ["", "?", "?a=" + "x" * 5_000, "?EIO=4", "?EIO=x&sid=%00", "?%", "?=&"]
) | (st.text("abc=&%+;é\0 ", max_size=20).map(lambda text: "?" + text))
forms = st.dictionaries(
    st.sampled_from(["email", "password", "locale", "clinic", "next"]), st.text(max_size=20)
)
