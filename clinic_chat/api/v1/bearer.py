"""Bearer token authentication: identifies a program and its clinic before the body is read."""

from typing import Annotated, Any, ClassVar

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.responses import Response

from clinic_chat.api.authorization import bearer_token, refused_token
from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import ApiError, rate_limited
from clinic_chat.api.routes import GuardedRoute, Handler
from clinic_chat.api.v1.conditional import conditional
from clinic_chat.domain.accounts.api_tokens import TokenHolder
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.settings import Settings
from clinic_chat.web.rate_limits import Quota

# Declares the scheme in OpenAPI; TokenRoute does the work, before the body is read.
bearer_scheme = HTTPBearer(
    scheme_name="token",
    description="A token of the settings page or of `create-token`, of a program or of a person.",
    auto_error=False,
)


class TokenRoute(GuardedRoute):
    """A route for holders of a token, limited in requests per minute and token.

    Every answer to a right token tells what is left of its limit, in `RateLimit-*` headers
    (draft-ietf-httpapi-ratelimit-headers); those to a GET have an ETag.
    """

    counted_as: ClassVar[str] = "rest"
    """The name under which requests are counted; routes of one name share a limit."""

    @staticmethod
    def per_minute(settings: Settings) -> int:
        """How many requests a token may make in a minute."""
        return settings.api_per_minute

    def get_route_handler(self) -> Handler:
        """The route's handler with the headers that every answer has."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            response = await handler(request)
            if request.method == "GET":
                response = conditional(request, response)
            if quota := getattr(request.state, "quota", None):
                response.headers.update(_quota_headers(quota))
            return response

        return answered

    async def admit(self, request: Request) -> None:
        """Identify the caller, count the request and check the media type of its body.

        Raises:
            ApiError: 401 `unauthorized`, 429 `rate_limited` or 415 `unsupported_media_type`.
        """
        services = context_of(request).services
        holder = await services.tokens.holder(bearer_token(request))
        if holder is None:
            message = "send a valid token as Authorization: Bearer …"
            raise await refused_token(request, "token", message)
        limit = self.per_minute(services.settings)
        quota = await services.limits.spend(self.counted_as, str(holder.token_id), limit)
        request.state.quota = quota
        if quota.wait:
            raise rate_limited(quota.wait)
        if self.body_field is not None and not _is_json(request):
            raise ApiError(
                415, "unsupported_media_type", "send the body as Content-Type: application/json"
            )
        request.state.holder = holder


class ChannelRoute(TokenRoute):
    """A route for channels, which deliver more than other programs ask."""

    counted_as = "api"

    @staticmethod
    def per_minute(settings: Settings) -> int:
        """How many deliveries and receipts a token may send in a minute."""
        return settings.inbound_per_minute


# Coroutines, because FastAPI would run a plain function in a thread, which costs more.
async def token_holder(request: Request) -> TokenHolder:
    """The holder of the caller's token."""
    holder: TokenHolder = request.state.holder
    return holder


async def token_scope(request: Request) -> ClinicScope:
    """The clinic of the caller's token, with whom the token acts as."""
    holder: TokenHolder = request.state.holder
    return ClinicScope(
        context_of(request).services.database,
        holder.clinic_id,
        holder.actor,
        address=client_host(request) or "",
    )


CallerScope = Annotated[ClinicScope, Depends(token_scope)]
Caller = Annotated[TokenHolder, Depends(token_holder)]


def needs(permission: Permission) -> dict[str, Any]:
    """What the OpenAPI document says of the permission that an operation needs."""
    return {"x-permission": permission.value}


def _quota_headers(quota: Quota) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(quota.limit),
        "RateLimit-Remaining": str(quota.remaining),
        "RateLimit-Reset": str(quota.reset),
    }


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"
