"""The production ASGI application: everything on one port, behind the security headers."""

import gc

from starlette.types import ASGIApp

from clinic_chat.api.request_ids import RequestIds
from clinic_chat.api.request_limits import RequestLimits
from clinic_chat.api.request_metrics import RequestMetrics
from clinic_chat.realtime.reflex_substates import make_substates_when_used
from clinic_chat.realtime.transport.asgi import SocketEntrance
from clinic_chat.realtime.transport.body_limit import BoundedPolls
from clinic_chat.server.first_start import SetupRedirect
from clinic_chat.server.pages.page_loads import PageLoads
from clinic_chat.server.pages.page_paths import PagePaths
from clinic_chat.server.pages.root_only import RootOnly
from clinic_chat.server.pages.security_headers import SecurityHeaders
from clinic_chat.server.polling_relay import PollingRelay, process_name
from clinic_chat.server.process_metrics import ProcessMetrics
from clinic_chat.server.serve import BUILT
from clinic_chat.ui.build.vite_config import BACKEND_PATHS

GARBAGE_AFTER = 50_000
# Old objects are left to `realtime/memory.py`, which collects when few tabs are open.
OLD_GARBAGE_AFTER = 100


def create_app() -> ASGIApp:
    """The application with the built front end mounted; `serve` has built it before."""
    from reflex_base.constants import Env
    from reflex_base.environment import environment

    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)

    from reflex.utils.prerequisites import get_and_validate_app

    make_substates_when_used()
    app = get_and_validate_app().app
    # Imported here, because only now is it known that this is the production server.
    from clinic_chat.clinic_chat import services

    pages = PagePaths(BoundedPolls(app()), BUILT, BACKEND_PATHS)
    first = SetupRedirect(pages, services)
    page_loads = PageLoads(first, services.settings, services.sessions.note_activity)
    behind_headers = SecurityHeaders(RootOnly(page_loads), BUILT)
    # All objects of now stay until the end. A collection that scans them would stop the process for
    # a tenth of a second each time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, gc.get_threshold()[1], OLD_GARBAGE_AFTER)
    limited = RequestLimits(behind_headers, services.limits, services.settings.requests_per_minute)
    known = RequestIds(RequestMetrics(limited), services.settings.trusted_proxies)
    # The context belongs to one connection and ends with it, so nothing is reset.
    entrance = SocketEntrance(known, app.sio, prepare=app.set_contexts)
    if services.settings.processes_dir is None:
        return entrance
    assert app.sio is not None  # noqa: S101 - it is ours
    app.sio.eio.process = process_name()
    folder = services.settings.processes_dir
    return ProcessMetrics(PollingRelay(entrance, folder), folder)
