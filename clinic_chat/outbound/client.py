"""Outbound requests: JSON from addresses that a clinic's administrator chose, and events to them.

An address from outside could lead a server to its own network (OWASP, Server-Side Request Forgery).
So: HTTPS only, to public addresses only, to the very address that was looked at, without redirects
and proxies, within a deadline and a number of bytes.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import httpx
import orjson

from clinic_chat.outbound.addresses import (
    REQUESTS_PER_OWNER,
    Address,
    Resolver,
    checked_url,
    is_public,
    literal_address,
)
from clinic_chat.outbound.errors import Failure, OutboundError

DEADLINE_SECONDS = 5.0
ANSWER_BYTES = 256 * 1024
PORTS = {"https": 443, "http": 80}
SENT_BYTES = 1024 * 1024
# What a receiver of events answers says nothing; so much of it is read, for the connection's sake.
IGNORED_BYTES = 16 * 1024
RECEIVER_ADDRESS_LIMIT = 2_000
RECEIVER_SECONDS = 15.0
_HEADERS = {
    "Accept": "application/json",
    # A small answer must not unfold into a large one.
    "Accept-Encoding": "identity",
    "User-Agent": "Clinic-Chat",
}


Answered = TypeVar("Answered")
_Reading = Callable[[httpx.Response], Awaitable[Answered]]


@dataclass(frozen=True)
class _Request:
    method: str
    headers: dict[str, str]
    seconds: float
    fields: Mapping[str, str] | None = None
    content: bytes | None = None
    names_of: UUID | None = None
    """Whose turns its look-up takes, if not the owner's."""


class Outbound:
    """Asks addresses for JSON and sends events to them, each time for an owner, such as a clinic.

    `private_hosts` are names and addresses that the operator allows although they are not public;
    `ca_file` has certificates of authorities to believe besides those that browsers do.
    """

    def __init__(self, private_hosts: Collection[str] = (), ca_file: Path | None = None) -> None:
        self._private_hosts = frozenset(private_hosts)
        self._ca_file = ca_file
        self._resolver = Resolver()
        self._turns: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    async def get_json(self, owner: UUID, address: str) -> dict[str, Any]:
        """The JSON object at an address.

        Raises:
            OutboundError: with what went wrong.
        """
        url = checked_url(address)
        return _object(
            await self._ask(owner, url, _Request("GET", _HEADERS, DEADLINE_SECONDS), _read)
        )

    async def post_form(
        self, owner: UUID, address: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """The JSON object that answers a form.

        Raises:
            OutboundError: with what went wrong.
        """
        request = _Request("POST", {**_HEADERS, **headers}, DEADLINE_SECONDS, fields)
        return _object(await self._ask(owner, checked_url(address), request, _read))

    async def post_event(
        self,
        owner: UUID,
        address: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        names_of: UUID | None = None,
    ) -> int:
        """The HTTP status with which a receiver answers JSON, of at most 1 MiB.

        `names_of` is whose turns its look-up takes: those of all receivers of a clinic together.
        Any status is an answer, those of redirects too; what else it says is thrown away.

        Raises:
            OutboundError: with what went wrong.
        """
        url = self.receiver_url(address)
        if len(body) > SENT_BYTES:
            raise OutboundError(Failure.TOO_LARGE)
        told = {**_HEADERS, "Content-Type": "application/json", **headers}
        request = _Request("POST", told, RECEIVER_SECONDS, content=body, names_of=names_of)
        return await self._ask(owner, url, request, _status)

    def receiver_url(self, address: str) -> httpx.URL:
        """An address that events may be sent to, as far as it can be told without a look-up.

        Plain http is for hosts that the operator allows.

        Raises:
            OutboundError: `not_https`, `address_invalid` or `address_private`.
        """
        url = checked_url(address, limit=RECEIVER_ADDRESS_LIMIT, http_hosts=self._private_hosts)
        found = literal_address(url.host)
        if found and url.host not in self._private_hosts and not is_public(found):
            raise OutboundError(Failure.ADDRESS_PRIVATE)
        return url

    def close(self) -> None:
        """End what waits for name servers."""
        self._resolver.close()

    async def _ask(
        self, owner: UUID, url: httpx.URL, request: _Request, read: _Reading[Answered]
    ) -> Answered:
        turn = self._turns.get(owner)
        if turn is None:
            turn = self._turns[owner] = asyncio.Semaphore(REQUESTS_PER_OWNER)
        try:
            async with asyncio.timeout(request.seconds), turn:
                return await self._answer(owner, url, request, read)
        except TimeoutError:
            raise OutboundError(Failure.TOO_SLOW) from None
        except httpx.HTTPError as error:
            certificate = isinstance(_root(error), ssl.SSLCertVerificationError)
            raise OutboundError(
                Failure.CERTIFICATE if certificate else Failure.UNREACHABLE
            ) from None

    async def _answer(
        self, owner: UUID, url: httpx.URL, request: _Request, read: _Reading[Answered]
    ) -> Answered:
        port = url.port or PORTS[url.scheme]
        addresses = await self._resolver.look_up(request.names_of or owner, url.host, port)
        if url.host not in self._private_hosts and not all(map(is_public, addresses)):
            raise OutboundError(Failure.ADDRESS_PRIVATE)
        async with httpx.AsyncClient(
            verify=_trusted(self._ca_file),
            trust_env=False,
            follow_redirects=False,
            # Of each step; all together have the same.
            timeout=request.seconds,
        ) as client:
            *first, last = addresses
            for each in first:
                with suppress(httpx.ConnectError):
                    return await _exchange(client, url, each, request, read)
            return await _exchange(client, url, last, request, read)


async def _exchange(
    client: httpx.AsyncClient,
    url: httpx.URL,
    address: Address,
    request: _Request,
    read: _Reading[Answered],
) -> Answered:
    """The answer of the host at this address, whose certificate has to name the host."""
    async with client.stream(
        request.method,
        url.copy_with(host=str(address)),
        headers=request.headers | {"Host": url.netloc.decode("ascii")},
        data=request.fields,
        content=request.content,
        extensions={"sni_hostname": url.host},
    ) as response:
        return await read(response)


async def _status(response: httpx.Response) -> int:
    left = IGNORED_BYTES
    async for part in response.aiter_raw():
        left -= len(part)
        if left <= 0:
            break
    return response.status_code


async def _read(response: httpx.Response) -> bytes:
    if response.is_redirect or 300 <= response.status_code < 400:
        raise OutboundError(Failure.REDIRECTED)
    if response.status_code != httpx.codes.OK:
        raise OutboundError(Failure.STATUS)
    if not _is_json(response.headers.get("content-type", "")):
        raise OutboundError(Failure.NOT_JSON)
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > ANSWER_BYTES:
            raise OutboundError(Failure.TOO_LARGE)
    return bytes(body)


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise OutboundError(Failure.NOT_JSON) from None
    if not isinstance(found, dict):
        raise OutboundError(Failure.NOT_JSON)
    return found


def _root(error: BaseException) -> BaseException:
    while found := error.__cause__ or error.__context__:
        error = found
    return error


@lru_cache(maxsize=4)
def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
