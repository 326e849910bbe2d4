"""The context of the API's routes, kept on the application they belong to."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from fastapi import FastAPI, Request

from clinic_chat.services import Services

SignedOut = Callable[[UUID], Awaitable[None]]
Online = Callable[[UUID], Collection[str]]


def nobody_online(_clinic_id: UUID) -> Collection[str]:
    """Who is online in a clinic of a process that has no sockets."""
    return ()


@dataclass(frozen=True)
class ApiContext:
    """The process's services, the callback for a session that ended, and who is online."""

    services: Services
    on_signed_out: SignedOut
    online: Online = nobody_online
    """The ids of the people who are online in a clinic."""


def attach(app: FastAPI, context: ApiContext) -> None:
    """Give the routes of `app` their context."""
    app.state.context = context


def context_of(request: Request) -> ApiContext:
    """The context of the application that serves this request."""
    context: ApiContext = request.app.state.context
    return context


def client_host(request: Request) -> str | None:
    """The address that a request comes from, None where the server knows none."""
    return request.client.host if request.client else None
