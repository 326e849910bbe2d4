"""The examples of docs/webhooks.md run as they stand there."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clinic_chat.domain.webhooks.signing import new_secret, signed_headers
from clinic_chat.settings import PROJECT_ROOT

PACKAGE = "standardwebhooks@1.1.1"
CACHE = Path.home() / ".cache" / "clinic-chat-webhooks"
INSTALL_SECONDS = 180
BODY = '{"type":"message:new","data":{"message":{"body":"Olá, até já"}}}'
# Reads what is to be verified, and writes what the example says of it.
NODE = """
const [secret, headers, body] = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(eventOf(secret, headers, body)));
"""


def example(language: str) -> str:
    """The one example in a language."""
    text = (PROJECT_ROOT / "docs" / "webhooks.md").read_text()
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def by_python(secret: str, headers: dict[str, str], body: str) -> Any:
    names: dict[str, Any] = {}
    exec(example("python"), names)  # noqa: S102 - our own documentation
    return names["event_of"](secret, headers, body.encode())


def by_node(secret: str, headers: dict[str, str], body: str) -> Any:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no Node here")
    if not (CACHE / "node_modules" / "standardwebhooks").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--prefix", str(CACHE), PACKAGE],
            check=True,
            timeout=INSTALL_SECONDS,
        )
    said = subprocess.run(
        [node, "-e", example("js") + NODE],
        cwd=CACHE,
        input=json.dumps([secret, headers, body]),
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return json.loads(said.stdout)


@pytest.mark.parametrize("verify", [by_python, by_node])
def test_an_example_believes_what_is_ours_and_nothing_else(verify: Any) -> None:
    secret, old = new_secret(), new_secret()
    headers = signed_headers([secret, old], "msg_1", BODY, datetime.now(UTC))

    assert verify(secret, headers, BODY) == json.loads(BODY)
    assert verify(old, headers, BODY) == json.loads(BODY)
    assert verify(new_secret(), headers, BODY) is None
    assert verify(secret, headers, BODY.replace("Olá", "Ola")) is None
    assert verify(secret, headers | {"webhook-id": "msg_2"}, BODY) is None
    long_ago = signed_headers([secret], "msg_1", BODY, datetime(2026, 1, 1, tzinfo=UTC))
    assert verify(secret, long_ago, BODY) is None
