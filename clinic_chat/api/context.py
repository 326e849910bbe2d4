"""The context of the API's routes, kept on the application they belong to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import FastAPI, Request

from clinic_chat.services import Services

SignedOut = Callable[[UUID], Awaitable[None]]


@dataclass(frozen=True)
class ApiContext:
    """The process's services, and the callback for a sign-in session that ended."""

    services: Services
    on_signed_out: SignedOut


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
