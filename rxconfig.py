"""Reflex configuration."""

import os
import sys
from pathlib import Path

# Reflex reads these before it looks at the configuration below.
os.environ.setdefault("REFLEX_TELEMETRY_ENABLED", "false")
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
# What Reflex says on its way is about a Node that nothing here needs and commands that are not
# ours; what goes wrong is still said. `REFLEX_LOGLEVEL=info` shows everything.
os.environ.setdefault("REFLEX_LOGLEVEL", "error")
# What the development server begins anew for. By itself it would also look at what it writes, such
# as the database, and end in the middle of a newcomer's first minute.
os.environ.setdefault(
    "REFLEX_HOT_RELOAD_OVERRIDE_PATHS",
    os.pathsep.join(
        str(Path(__file__).parent / folder)
        for folder in ("clinic_chat", "assets/live", "assets/styles")
    ),
)
# Bun comes as a Python package, beside this interpreter.
os.environ.setdefault("REFLEX_USE_SYSTEM_BUN", "true")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

import reflex as rx
from reflex_base import constants

from clinic_chat.realtime.reflex_states import STATE_SECONDS
from clinic_chat.settings import get_settings
from clinic_chat.ui.build.plugin import LivePlugin

# The development server has a published password, so it listens on this machine alone.
LOOPBACK = "127.0.0.1"
constants.PackageJson.Commands.DEV = f"react-router dev --host {LOOPBACK}"

config = rx.Config(
    app_name="clinic_chat",
    backend_host=LOOPBACK,
    plugins=[LivePlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
    cors_allowed_origins=get_settings().allowed_origins or ["http://localhost:3000"],
    state_manager_mode="memory",
    # Of states in memory too, whatever its name says.
    redis_token_expiration=STATE_SECONDS,
    frontend_compression_formats=["brotli", "gzip"],
    telemetry_enabled=False,
    show_built_with_reflex=False,
    bun_path=str(Path(sys.executable).parent / "bun"),
)
