"""`GET /metrics`: what Prometheus asks for, and nobody else gets."""

import hashlib
import hmac

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import Response

from clinic_chat.api.authorization import bearer_token, refused_token
from clinic_chat.api.context import context_of
from clinic_chat.api.errors import ApiError
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.metrics.scrape import exposition
from clinic_chat.web.peers import is_from_this_machine

PATH = "/metrics"


class MetricsRoute(GuardedRoute):
    """A route for whoever knows the token, or, where none is set, for this machine alone."""

    async def admit(self, request: Request) -> None:
        """Let in who may read the metrics.

        Raises:
            ApiError: 401 `unauthorized` or 429 `rate_limited` without the token; 404 `not_found`
                where no token is set.
        """
        token = context_of(request).services.settings.metrics_token
        if not token:
            if not is_from_this_machine(request.scope):
                raise ApiError(404, "not_found", "there is nothing at this address")
        elif not _same(bearer_token(request), token):
            message = "send the token of the metrics as Authorization: Bearer …"
            raise await refused_token(request, "metrics-token", message)


router = APIRouter(route_class=MetricsRoute, include_in_schema=False)


@router.get(PATH)
async def metrics() -> Response:
    """Everything that this process counts, in Prometheus' text format."""
    return Response(await exposition(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def _same(told: str, wanted: str) -> bool:
    """Whether they are the same, in a time that tells neither how much of it nor how long it is."""
    digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (told, wanted)]
    return hmac.compare_digest(*digests)
