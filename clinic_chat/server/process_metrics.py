"""Answers a scrape for all processes of one `serve`, each sample with the `process` it is of.

The kernel hands a scrape to any of the processes that share the port. The one that gets it asks the
others over their Unix sockets, as whoever asked and with their token.
"""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clinic_chat.api.metrics import PATH
from clinic_chat.server.polling_relay import is_relayed, process_name, relay_headers

# A process that does not answer must not keep the others' numbers back; a scrape may take 10 s.
ANSWER_SECONDS = 4.0
LABEL = "process"


class ProcessMetrics:
    """ASGI middleware of one of several processes; `folder` has their sockets."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET"
        if not asks or is_relayed(scope):
            await self._app(scope, receive, send)
            return
        # What is merged must be text.
        plain = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        scope = {**scope, "headers": plain}
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        start, *parts = answer
        if start["status"] != httpx.codes.OK:
            for message in answer:
                await send(message)
            return
        own = b"".join(part.get("body", b"") for part in parts).decode()
        texts = {process_name(): own, **await self._of_others(scope)}
        body = generate_latest(_Families(texts))
        headers = [header for header in start["headers"] if header[0] != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await send({**start, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": body})

    async def _of_others(self, scope: Scope) -> dict[str, str]:
        paths = [path for path in self._folder.iterdir() if path.name != process_name()]
        answers = await asyncio.gather(*(_asked(path, scope) for path in paths))
        return {
            path.name: text for path, text in zip(paths, answers, strict=True) if text is not None
        }


async def _asked(path: Path, scope: Scope) -> str | None:
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    async with httpx.AsyncClient(
        transport=transport, timeout=ANSWER_SECONDS, trust_env=False
    ) as client:
        try:
            answer = await client.get(f"http://process{PATH}", headers=relay_headers(scope))
        except httpx.HTTPError:
            # It ended, or it is too busy to be counted.
            return None
    return answer.text if answer.status_code == httpx.codes.OK else None


class _Families:
    """The metrics of several processes as one registry has them."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        """Each metric once, with the samples of all processes."""
        families: dict[str, Metric] = {}
        for process, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                merged = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                merged.samples.extend(_of(process, family))
        return families.values()


def _of(process: str, family: Metric) -> Iterator[Sample]:
    for sample in family.samples:
        yield sample._replace(labels={**sample.labels, LABEL: process})
