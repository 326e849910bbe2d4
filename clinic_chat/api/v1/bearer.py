"""Bearer token authentication: identifies a program's clinic before the body is read."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from clinic_chat.api.authorization import bearer_token, refused_token
from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import ApiError, rate_limited
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.domain.accounts.api_tokens import TokenHolder
from clinic_chat.domain.clinics.actors import TokenActor
from clinic_chat.domain.clinics.scope import ClinicScope

# Declares the scheme in OpenAPI; TokenRoute does the work, before the body is read.
bearer_scheme = HTTPBearer(
    scheme_name="token", description="A token of `create-token`", auto_error=False
)


class TokenRoute(GuardedRoute):
    """A route for holders of a token, limited in requests per minute and token."""

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
        limit = services.settings.inbound_per_minute
        if seconds := await services.limits.hit("api", str(holder.token_id), limit):
            raise rate_limited(seconds)
        if self.body_field is not None and not _is_json(request):
            raise ApiError(
                415, "unsupported_media_type", "send the body as Content-Type: application/json"
            )
        request.state.holder = holder


# A coroutine, because FastAPI would run a plain function in a thread, which costs more.
async def token_scope(request: Request) -> ClinicScope:
    """The clinic of the caller's token."""
    holder: TokenHolder = request.state.holder
    return ClinicScope(
        context_of(request).services.database,
        holder.clinic_id,
        TokenActor(holder.token_id, holder.permissions),
        address=client_host(request) or "",
    )


CallerScope = Annotated[ClinicScope, Depends(token_scope)]


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"
