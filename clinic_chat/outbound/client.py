"""Outbound requests: JSON from addresses that a clinic's administrator chose.

An address from outside could lead a server to its own network (OWASP, Server-Side Request Forgery).
So: HTTPS only, to public addresses only, to the very address that was looked at, without redirects
and proxies, within `DEADLINE_SECONDS` and `ANSWER_BYTES`.
"""

import asyncio
import ssl
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
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
)
from clinic_chat.outbound.errors import Failure, OutboundError

DEADLINE_SECONDS = 5.0
ANSWER_BYTES = 256 * 1024
HTTPS_PORT = 443
_HEADERS = {
    "Accept": "application/json",
    # A small answer must not unfold into a large one.
    "Accept-Encoding": "identity",
    "User-Agent": "Clinic-Chat",
}


class Outbound:
    """Asks addresses for JSON, each time for a clinic, the owner.

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
        return await self._ask(owner, "GET", address, {}, None)

    async def post_form(
        self, owner: UUID, address: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """The JSON object that answers a form.

        Raises:
            OutboundError: with what went wrong.
        """
        return await self._ask(owner, "POST", address, headers, fields)

    def close(self) -> None:
        """End what waits for name servers."""
        self._resolver.close()

    async def _ask(
        self,
        owner: UUID,
        method: str,
        address: str,
        headers: Mapping[str, str],
        fields: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        url = checked_url(address)
        turn = self._turns.get(owner)
        if turn is None:
            turn = self._turns[owner] = asyncio.Semaphore(REQUESTS_PER_OWNER)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), turn:
                request = {"method": method, "headers": {**_HEADERS, **headers}, "data": fields}
                return _object(await self._answer(owner, url, request))
        except TimeoutError:
            raise OutboundError(Failure.TOO_SLOW) from None
        except httpx.HTTPError as error:
            certificate = isinstance(_root(error), ssl.SSLCertVerificationError)
            raise OutboundError(
                Failure.CERTIFICATE if certificate else Failure.UNREACHABLE
            ) from None

    async def _answer(self, owner: UUID, url: httpx.URL, request: dict[str, Any]) -> bytes:
        addresses = await self._resolver.look_up(owner, url.host, url.port or HTTPS_PORT)
        if url.host not in self._private_hosts and not all(map(is_public, addresses)):
            raise OutboundError(Failure.ADDRESS_PRIVATE)
        async with httpx.AsyncClient(
            verify=_trusted(self._ca_file),
            trust_env=False,
            follow_redirects=False,
            # Of each step; all together have the same.
            timeout=DEADLINE_SECONDS,
        ) as client:
            *first, last = addresses
            for each in first:
                with suppress(httpx.ConnectError):
                    return await _read(client, url, each, request)
            return await _read(client, url, last, request)


async def _read(
    client: httpx.AsyncClient, url: httpx.URL, address: Address, request: dict[str, Any]
) -> bytes:
    """The answer of the host at this address, whose certificate has to name the host."""
    headers = request["headers"] | {"Host": url.netloc.decode("ascii")}
    async with client.stream(
        request["method"],
        url.copy_with(host=str(address)),
        headers=headers,
        data=request["data"],
        extensions={"sni_hostname": url.host},
    ) as response:
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
