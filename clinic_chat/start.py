"""What happens before the development server takes its first request."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reflex_base.config import get_config
from reflex_base.constants import Env
from reflex_base.environment import environment

from clinic_chat.demo import DEMO_PASSWORD, fill_demo
from clinic_chat.services import Services
from clinic_chat.storage.migrate import migrate

DEMO_EMAIL = "ana@aurora.example"


@asynccontextmanager
async def prepare_development(services: Services) -> AsyncIterator[None]:
    """Under `reflex run`: migrate, and fill an empty database with the demo clinics.

    In production `serve` migrates, and nobody but the `demo` command makes demo data.
    """
    if environment.REFLEX_ENV_MODE.get() is Env.DEV:
        await migrate(services.settings.database_url)
        await fill_demo(services.database)
        address = get_config().deploy_url
        sys.stderr.write(f"\nClinic Chat: {address}  demo: {DEMO_EMAIL} / {DEMO_PASSWORD}\n\n")
    yield
