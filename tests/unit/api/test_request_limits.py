"""The limit of HTTP requests in front of everything."""

import httpx
from starlette.responses import PlainTextResponse

from clinic_chat.api.request_limits import RequestLimits
from clinic_chat.web.rate_limits import Limits

PER_MINUTE = 3


def client(app: RequestLimits, host: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://inbox.example")


async def test_an_address_may_ask_so_often_and_another_still_may() -> None:
    app = RequestLimits(PlainTextResponse("page"), Limits(), PER_MINUTE)
    async with client(app, "192.0.2.1") as one, client(app, "192.0.2.2") as other:
        # The clock's minute may end in between, which lets some more through.
        answers = [await one.get("/") for _ in range(4 * PER_MINUTE)]

        assert [answer.status_code for answer in answers[:PER_MINUTE]] == [200] * PER_MINUTE
        refused = answers[-1]
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1
        assert (await other.get("/")).status_code == 200
        assert (await one.get("/healthz")).status_code == 200
