"""The Origin rule: which pages may call this server with a person's cookie."""

import ipaddress
import re

_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PAGE_SCHEMES = {"ws": "http", "wss": "https"}


def origin_allowed(origin: str | None, host: str, scheme: str, allowed: list[str]) -> bool:
    """Whether a request with this Origin header comes from our own page or a trusted one.

    `host` is the request's Host header and `scheme` its ASGI scheme (`ws` counts as `http`).
    An origin is scheme, host and port together (RFC 6454 section 5). No Origin at all is
    allowed: programs send none and neither do browsers on a same-origin GET. `null`, which
    sandboxed and opaque pages send, and anything malformed are refused.
    """
    if origin is None:
        return True
    claimed = _normal(origin)
    if claimed is None:
        return False
    own = _normal(f"{_PAGE_SCHEMES.get(scheme, scheme)}://{host}")
    return claimed == own or claimed in {_normal(entry) for entry in allowed}


def is_own_host(origin: str | None, host: str) -> bool:
    """Whether an origin names the same host as the Host header, whatever its scheme and port.

    One that is refused all the same is likely our own page behind a proxy that does not say what
    browsers asked it for.
    """
    claimed, own = _normal(origin or ""), _normal(f"http://{host}")
    return claimed is not None and own is not None and claimed[1] == own[1]


def is_origin(text: str) -> bool:
    """Whether this can be the origin of a page at all."""
    return _normal(text) is not None


def passkey_domain(origin: str) -> str | None:
    """The domain that passkeys of a page with this origin belong to, None where there are none.

    Browsers make passkeys over HTTPS and at `localhost`, for names and not for IP addresses
    (WebAuthn Level 3 section 5.1.3).
    """
    parts = _normal(origin)
    if parts is None:
        return None
    scheme, host, _ = parts
    is_here = host == "localhost" or host.endswith(".localhost")
    if host.startswith("[") or (scheme != "https" and not is_here):
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return None


def _normal(origin: str) -> tuple[str, str, str] | None:
    parts = _ORIGIN.fullmatch(origin.lower())
    if parts is None:
        return None
    scheme, host, port = parts.groups()
    return scheme, host, port or _DEFAULT_PORTS[scheme]
