"""Which cookie counts, whatever else a browser sends beside it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_chat.settings import Settings
from clinic_chat.web.cookies import cookie_name, is_secure, session_cookie

NAME = "clinic_chat_session"
SETTINGS = Settings(secret_key="k" * 32)


def scope(scheme: str, **headers: str) -> dict[str, Any]:
    pairs = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {"type": "http", "scheme": scheme, "headers": pairs}


@pytest.mark.parametrize(
    "header",
    [
        "{}=abc",
        '{}="abc"',
        'consent={{"a":1,"b":[2]}}; {}=abc',
        '{}=abc; consent={{"a":1,"b":"x"}}',
        'a="open; {}=abc',
        "b@d na[me]=é; {}=abc ; =; ;;x",
        "x{0}=no; {0}=abc; {0}=second",
    ],
)
@pytest.mark.parametrize("secure", [False, True])
def test_what_a_neighbour_put_beside_it_does_not_hide_the_cookie(header: str, secure: bool) -> None:
    assert session_cookie(header.format(cookie_name(secure)), secure=secure) == "abc"


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_cookie_beside_it_can_hide_it(before: str, after: str) -> None:
    mine = f"{NAME}=" in before
    found = session_cookie(f"{before};{NAME}=abc;{after}", secure=False)

    assert found == "abc" or mine


@pytest.mark.parametrize("header", ["", NAME, f"x{NAME}=abc", f"{NAME}x=abc", f"a={NAME}=abc"])
def test_what_is_another_cookie_is_not_taken_for_it(header: str) -> None:
    assert session_cookie(header, secure=False) is None


def test_over_https_only_the_name_that_no_neighbour_can_set_counts() -> None:
    header = f"{NAME}=of-a-neighbour"

    assert session_cookie(header, secure=True) is None
    assert session_cookie(f"{header}; __Host-{NAME}=own", secure=True) == "own"
    assert session_cookie(f"__Host-{NAME}=own", secure=False) is None


@pytest.mark.parametrize("forwarded", ["https", "HTTPS", "https, http", "wss"])
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_behind_a_tls_proxy_that_nobody_named_cookies_are_secure(
    scheme: str, forwarded: str
) -> None:
    assert is_secure(scope(scheme, x_forwarded_proto=forwarded), SETTINGS)


def test_the_scheme_decides_and_the_setting_decides_first() -> None:
    never = Settings(secret_key="k" * 32, secure_cookies=False)
    always = Settings(secret_key="k" * 32, secure_cookies=True)

    assert [is_secure(scope(s), SETTINGS) for s in ("http", "ws", "https", "wss")] == [
        False,
        False,
        True,
        True,
    ]
    assert not is_secure(scope("http", x_forwarded_proto="http"), SETTINGS)
    assert not is_secure(scope("https"), never)
    assert is_secure(scope("http"), always)
