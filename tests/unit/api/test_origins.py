"""The Origin rule."""

import pytest

from clinic_chat.web.origins import is_own_host, origin_allowed

TRUSTED = ["https://staff.example", "http://localhost:3000"]


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://inbox.example", "inbox.example", "http"),
        ("http://inbox.example:80", "inbox.example", "http"),
        ("http://inbox.example", "inbox.example:80", "http"),
        ("https://inbox.example", "inbox.example:443", "https"),
        ("HTTPS://Inbox.Example", "inbox.example", "https"),
        ("http://inbox.example:3000", "inbox.example:3000", "http"),
        ("http://inbox.example", "inbox.example", "ws"),
        ("https://inbox.example", "inbox.example", "wss"),
        ("http://192.0.2.7:3000", "192.0.2.7:3000", "http"),
        ("http://[2001:db8::1]:3000", "[2001:db8::1]:3000", "http"),
        ("https://staff.example", "inbox.example", "http"),
        ("http://localhost:3000", "localhost:8000", "http"),
        (None, "inbox.example", "https"),
    ],
)
def test_our_own_page_and_trusted_ones_are_allowed(
    origin: str | None, host: str, scheme: str
) -> None:
    assert origin_allowed(origin, host, scheme, TRUSTED)


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://evil.example", "inbox.example", "http"),
        ("https://inbox.example", "inbox.example", "http"),
        ("http://inbox.example", "inbox.example", "https"),
        ("http://inbox.example:8080", "inbox.example", "http"),
        ("http://inbox.example.evil.example", "inbox.example", "http"),
        ("http://evil.example/inbox.example", "inbox.example", "http"),
        ("http://evil.example@inbox.example", "inbox.example", "http"),
        ("http://inbox.example@evil.example", "inbox.example", "http"),
        ("http://inbox.example/", "inbox.example", "http"),
        ("http://inbox.example\n", "inbox.example", "http"),
        ("http://inbox.example, http://evil.example", "inbox.example", "http"),
        ("http://staff.example", "inbox.example", "http"),
        ("https://sub.staff.example", "inbox.example", "http"),
        ("null", "inbox.example", "http"),
        ("null", "null", "http"),
        ("", "", "http"),
        ("http://", "", "http"),
        ("*", "*", "http"),
        ("file://", "", "file"),
        ("http://inbox.example", "", "http"),
    ],
)
def test_everything_else_is_refused(origin: str, host: str, scheme: str) -> None:
    assert not origin_allowed(origin, host, scheme, TRUSTED)


def test_a_malformed_trusted_origin_allows_nobody() -> None:
    assert not origin_allowed("null", "inbox.example", "http", ["null", "*", ""])
    assert not origin_allowed("http://evil.example", "inbox.example", "http", ["null", "*", ""])


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("https://inbox.example:8443", "inbox.example", True),
        ("https://inbox.example", "inbox.example:3000", True),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]", True),
        ("https://evil.example", "inbox.example", False),
        ("https://inbox.example.evil.example", "inbox.example", False),
        ("null", "inbox.example", False),
        (None, "inbox.example", False),
        ("https://inbox.example", "", False),
    ],
)
def test_a_page_of_our_own_behind_a_proxy_is_told_from_a_stranger(
    origin: str | None, host: str, own: bool
) -> None:
    assert is_own_host(origin, host) is own
