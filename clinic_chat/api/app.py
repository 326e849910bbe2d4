"""The HTTP application: sign-in, the REST API, health and metrics, mounted before the pages."""

from fastapi import FastAPI
from starlette.routing import Route

from clinic_chat import __version__
from clinic_chat.api import health, metrics
from clinic_chat.api.auth import links, second_step, setup, sign_in, single_sign_on
from clinic_chat.api.auth.passkeys import adding as passkey_adding
from clinic_chat.api.auth.passkeys import sign_in as passkey_sign_in
from clinic_chat.api.context import ApiContext, SignedOut, attach
from clinic_chat.api.routes import Unmatched
from clinic_chat.api.v1 import delivery_status as receipts
from clinic_chat.api.v1 import inbound, webhooks
from clinic_chat.services import Services

OPENAPI_PATH = "/api/v1/openapi.json"
ROUTERS = (
    inbound.router,
    receipts.router,
    webhooks.router,
    sign_in.router,
    links.router,
    setup.router,
    second_step.router,
    single_sign_on.router,
    passkey_sign_in.router,
    passkey_adding.router,
    health.router,
    metrics.router,
)


def create_api(services: Services, on_signed_out: SignedOut) -> FastAPI:
    """The application that serves `/api`, `/auth`, health and metrics, and nothing else.

    Give it to Reflex as `api_transformer`, which mounts the pages behind these routes.
    `on_signed_out` is awaited with the id of each session that ended, after it ended.
    """
    app = FastAPI(
        title="Clinic Chat",
        version=__version__,
        description="What channels and other programs do for a clinic. Errors have one shape.",
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
    )
    attach(app, ApiContext(services, on_signed_out))
    for router in ROUTERS:
        app.include_router(router)
    unmatched = Unmatched([route for router in ROUTERS for route in router.routes])
    for rest in ("/api/{rest:path}", "/auth/{rest:path}", metrics.PATH):
        app.router.routes.append(Route(rest, unmatched))
    return app
