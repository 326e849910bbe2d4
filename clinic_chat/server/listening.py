"""The sockets that a server listens on."""

import errno
import socket

EVERY_ADDRESS = "::"
EVERY_IPV4_ADDRESS = "0.0.0.0"  # noqa: S104
# Machines without IPv6 say one of these, some only when the address is bound.
NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


def open_listeners(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to a host's address, which do not listen yet; `::` is every one, of IPv4 too.

    There is a socket for each family, because one for both would name the peers of IPv4 otherwise
    (`::ffff:192.0.2.7`), also those in `CLINIC_CHAT_TRUSTED_PROXIES`.

    Raises:
        OSError: nothing can listen there.
    """
    if host != EVERY_ADDRESS:
        return [_open(host, port)]
    try:
        everywhere = [_open(EVERY_ADDRESS, port)]
    except OSError as error:
        if error.errno not in NO_IPV6:
            raise
        everywhere = []
    try:
        return [*everywhere, _open(EVERY_IPV4_ADDRESS, port)]
    except OSError:
        for listener in everywhere:
            listener.close()
        raise


def lacks_ipv6(host: str, listeners: list[socket.socket]) -> bool:
    """Whether every address was asked for and this machine has only those of IPv4."""
    return host == EVERY_ADDRESS and len(listeners) == 1


def url_of(listener: socket.socket) -> str:
    """Where a listening socket is reached, as a browser would write it."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if listener.family == socket.AF_INET6 else host}:{port}"


def _open(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # What ended a moment ago does not keep the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
