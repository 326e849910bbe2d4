"""Who is at the other end of a connection itself, whoever a proxy says that it speaks for."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

# Set for each request by the web server (realtime/transport/uvicorn/http_protocol.py).
PEER = "clinic_chat.peer"
# What proxies say of whom they speak for.
_FORWARDING = (
    *("forwarded", "via", "x-real-ip"),
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"),
)


def peer_host(scope: Mapping[str, Any]) -> str | None:
    """The address that the connection comes from."""
    client = scope.get(PEER) or scope.get("client")
    return client[0] if client else None


def is_from_this_machine(scope: Mapping[str, Any]) -> bool:
    """Whether a program on this machine asks for itself, and no proxy for somebody else.

    A proxy here may add no header at all; it then still asks in the name of the site, as does a
    page whose name somebody has pointed at this machine.
    """
    headers = Headers(scope=dict(scope))
    if any(name in headers for name in _FORWARDING):
        return False
    return _is_loopback(peer_host(scope)) and _names_this_machine(headers.get("host", ""))


def _names_this_machine(host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower() == "localhost" or _is_loopback(name)


def _is_loopback(host: str | None) -> bool:
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
