"""A messaging channel: delivers what patients write through the public API."""

import asyncio
import itertools
import time
from dataclasses import dataclass

import httpx

from tests.support.people import Patient
from tests.support.servers.server import ReachedWithTokens

# Shorter than the server keeps idle connections, or one may close just when it is used again.
IDLE = httpx.Limits(keepalive_expiry=1)

PROXY_FAILURES = {502, 503, 504}
PATIENCE_SECONDS = 20
PAUSE_SECONDS = 0.2

_ids = itertools.count(1)


@dataclass(frozen=True)
class Delivered:
    """A stored message of a patient; the times are seconds since 1970."""

    conversation_id: str
    seq: int
    body: str
    posted_at: float
    answered_at: float


class Channel:
    """Posts to `/api/v1/inbound` of one clinic."""

    def __init__(self, server: ReachedWithTokens, clinic: str = "aurora") -> None:
        self._client = httpx.AsyncClient(
            base_url=server.origin,
            headers={"Authorization": f"Bearer {server.token(clinic)}"},
            timeout=30,
            limits=IDLE,
        )

    async def deliver(self, patient: Patient, body: str, **more: str) -> Delivered:
        """Store one message from a patient, with `more` fields of the request."""
        posted_at = time.time()
        answer = await self._post(_request(patient, body, **more))
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        return _delivered(posted_at, answer)

    async def deliver_persistently(self, patient: Patient, body: str) -> Delivered:
        """Store one message, repeating it under its id while a proxy answers for a dead server."""
        posted_at = time.time()
        request = _request(patient, body)
        while (answer := await self._post(request)).status_code in PROXY_FAILURES:
            assert time.time() < posted_at + PATIENCE_SECONDS, answer
            await asyncio.sleep(PAUSE_SECONDS)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return _delivered(posted_at, answer)

    async def _post(self, request: dict[str, object]) -> httpx.Response:
        return await self._client.post("/api/v1/inbound", json=request)

    async def report(self, message_id: str, status: str, reason: str = "") -> int:
        """Say how far one of the clinic's messages got; the HTTP status of the answer."""
        report = {"status": status, **({"reason": reason} if reason else {})}
        answer = await self._client.post(f"/api/v1/messages/{message_id}/status", json=report)
        return answer.status_code

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _request(patient: Patient, body: str, **more: str) -> dict[str, object]:
    return {
        "patient": {"name": patient.name, "phone": patient.phone},
        "body": body,
        "externalId": f"browser-test-{next(_ids)}",
        **more,
    }


def _delivered(posted_at: float, answer: httpx.Response) -> Delivered:
    answered_at = time.time()
    message = answer.json()["message"]
    return Delivered(
        message["conversationId"], message["seq"], message["body"], posted_at, answered_at
    )
