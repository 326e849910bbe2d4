"""Assembles the app: pages, API and the real-time server."""

from datetime import timedelta

import reflex as rx
import structlog

from clinic_chat.api.app import create_api
from clinic_chat.domain.webhooks.reader import READER as WEBHOOKS
from clinic_chat.logs import configure_logging
from clinic_chat.realtime.gate import Gate, exposed_events
from clinic_chat.realtime.server import RealtimeServer
from clinic_chat.server.development import prepare_development
from clinic_chat.server.first_start import announce_setup
from clinic_chat.services import Services
from clinic_chat.settings import get_settings
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components import theme
from clinic_chat.ui.join import page as join
from clinic_chat.ui.not_found import page as not_found
from clinic_chat.ui.settings.pages import SETTINGS_PAGES, SETTINGS_STATES
from clinic_chat.ui.setup import page as setup
from clinic_chat.ui.sign_in import page as sign_in
from clinic_chat.ui.thread.pane import opening_script
from clinic_chat.ui.workspace import page as inbox
from clinic_chat.workers.backup_worker import BackupWorker
from clinic_chat.workers.log_worker import LogWorker
from clinic_chat.workers.readers import READERS
from clinic_chat.workers.retention_worker import RetentionWorker
from clinic_chat.workers.webhook_worker import WebhookWorker

log = structlog.get_logger(__name__)


# The text of an error may quote what a patient wrote, so only its type and place are logged.
def _browser_failed(exception: Exception) -> None:
    log.error("browser.failed", error=type(exception).__name__)


def _handler_failed(exception: Exception) -> None:
    log.error("handler.failed", exc_info=exception)


settings = get_settings()
configure_logging(settings.log_level)
services = Services(settings)
live = RealtimeServer(services)
log_worker = LogWorker(services.database, READERS)
webhook_worker = WebhookWorker(services.database, settings)
log_worker.on_taken(WEBHOOKS, webhook_worker.wake)

app = rx.App(
    sio=live.sio,
    api_transformer=create_api(
        services, on_signed_out=live.end_session, online=live.presence.online
    ),
    stylesheets=theme.STYLESHEETS,
    html_lang="pt-BR",
    head_components=[*theme.head(), opening_script()],
    toaster=None,
    app_wraps={},
    frontend_exception_handler=_browser_failed,
    backend_exception_handler=_handler_failed,
)
allowed = exposed_events((Account, *SETTINGS_STATES))
live.attach(app, allowed)
# A page also loads its account by itself, when it reconnects after an outage.
by_itself = frozenset(name for name in allowed if name.endswith(".load"))
gate = Gate(live.connections, allowed, live.cut, by_itself=by_itself)
app.add_middleware(gate, index=0)
app.register_lifespan_task(prepare_development, services=services)
app.register_lifespan_task(announce_setup, services=services)
app.register_lifespan_task(live.lifespan)
app.register_lifespan_task(log_worker.lifespan)
app.register_lifespan_task(webhook_worker.lifespan)
app.register_lifespan_task(BackupWorker(settings).lifespan)
app.register_lifespan_task(
    RetentionWorker(services.database, timedelta(days=settings.events_kept_days)).lifespan
)
app.add_page(inbox.inbox_page, route=inbox.ROUTE, title="Clinic Chat", on_load=inbox.ON_LOAD)
app.add_page(not_found.not_found_page, route=not_found.ROUTE, title="Clinic Chat")
for page, route, on_load in SETTINGS_PAGES:
    app.add_page(page, route=route, title="Clinic Chat", on_load=on_load)
app.add_page(setup.setup_page, route=setup.ROUTE, title="Clinic Chat")
app.add_page(join.join_page, route=join.ROUTE, title="Clinic Chat")
app.add_page(sign_in.sign_in_page, route=sign_in.ROUTE, title="Clinic Chat")
