"""The HTTP application: sign-in, the REST API, health and metrics, mounted before the pages."""

from fastapi import FastAPI
from starlette.routing import Route

from clinic_chat import __version__
from clinic_chat.api import health, metrics
from clinic_chat.api.auth import links, second_step, setup, sign_in, single_sign_on
from clinic_chat.api.auth.passkeys import adding as passkey_adding
from clinic_chat.api.auth.passkeys import sign_in as passkey_sign_in
from clinic_chat.api.context import ApiContext, Online, SignedOut, attach, nobody_online
from clinic_chat.api.documentation import page as documentation
from clinic_chat.api.documentation.document import DESCRIPTION, TAGS, DocumentedApi
from clinic_chat.api.routes import Unmatched
from clinic_chat.api.v1 import conversations, inbound, me, messages, staff, webhooks
from clinic_chat.api.v1 import delivery_status as receipts
from clinic_chat.api.v1.patients import identities as patient_identities
from clinic_chat.api.v1.patients import records as patients
from clinic_chat.services import Services

OPENAPI_PATH = "/api/v1/openapi.json"
ROUTERS = (
    conversations.router,
    messages.router,
    patients.router,
    patient_identities.router,
    staff.router,
    inbound.router,
    receipts.router,
    webhooks.router,
    me.router,
    documentation.router,
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


def create_api(
    services: Services, on_signed_out: SignedOut, online: Online = nobody_online
) -> FastAPI:
    """The application that serves `/api`, `/auth`, health and metrics, and nothing else.

    Give it to Reflex as `api_transformer`, which mounts the pages behind these routes.
    `on_signed_out` is awaited with the id of each session that ended, after it ended; `online`
    tells the ids of the people who are online in a clinic.
    """
    app = DocumentedApi(
        title="Clinic Chat",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        generate_unique_id_function=lambda route: route.name,
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
    )
    attach(app, ApiContext(services, on_signed_out, online))
    for router in ROUTERS:
        app.include_router(router)
    unmatched = Unmatched([route for router in ROUTERS for route in router.routes])
    for rest in ("/api/{rest:path}", "/auth/{rest:path}", metrics.PATH):
        app.router.routes.append(Route(rest, unmatched))
    return app
