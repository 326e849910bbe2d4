"""What the built front end puts into its first event, read from the build itself."""

import json
import re
from dataclasses import dataclass
from typing import Any, Self

from clinic_chat.server.serve import WEB, build_if_needed

CONTEXT = WEB / "utils" / "context.jsx"


@dataclass(frozen=True)
class FrontEnd:
    """The build's hashes of its initial state, and of the shape of the state."""

    hashes: list[str]
    schema: str

    @classmethod
    def built(cls) -> Self:
        """Of the front end in this checkout, built first when it has to be."""
        build_if_needed()
        text = CONTEXT.read_text()
        return cls(
            json.loads(_constant(text, "initialStateHashes")),
            json.loads(_constant(text, "stateSchema")),
        )

    def boot(self, path: str) -> dict[str, Any]:
        """What a page at `path` sends when its socket connects for the first time."""
        return {
            "event": {
                "name": "reflex___state____state.hydrate_and_load",
                "payload": {"hashes": self.hashes},
                "router_data": {
                    "pathname": path,
                    "asPath": path,
                    "query": {"splat": path.strip("/").split("/")},
                },
            },
            "state_schema": self.schema,
        }


def _constant(text: str, name: str) -> str:
    found = re.search(rf"^export const {name} = (.+)$", text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{CONTEXT} has no {name}: it is not the build this client knows")
    return found[1].rstrip(";")
