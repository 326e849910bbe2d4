"""Prepares the database before the development server takes its first request."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reflex_base.config import get_config
from reflex_base.constants import Env
from reflex_base.environment import environment

from clinic_chat.backups.upgrade import upgrade
from clinic_chat.demo import DEMO_PASSWORD, fill_demo
from clinic_chat.services import Services
from clinic_chat.settings import PROJECT_ROOT

DEMO_EMAIL = "ana@aurora.example"
SUPERVISOR = PROJECT_ROOT / ".web" / "supervisor.pid"


@asynccontextmanager
async def prepare_development(services: Services) -> AsyncIterator[None]:
    """Under `reflex run`: migrate, and fill an empty database with the demo clinics.

    In production `serve` migrates, and only the `demo` command makes demo data.
    """
    if environment.REFLEX_ENV_MODE.get() is Env.DEV:
        await upgrade(services.settings)
        await fill_demo(services.database)
        if _is_first_start():
            address = get_config().deploy_url
            sys.stderr.write(f"\nClinic Chat: {address}  demo: {DEMO_EMAIL} / {DEMO_PASSWORD}\n\n")
    yield


def _is_first_start() -> bool:
    """Whether this is the first worker of its supervisor, which starts others when code changes."""
    supervisor = str(os.getppid())
    if SUPERVISOR.exists() and SUPERVISOR.read_text() == supervisor:
        return False
    SUPERVISOR.parent.mkdir(exist_ok=True)
    SUPERVISOR.write_text(supervisor)
    return True
