"""Every code that may reach a screen has its text in one place."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic_chat.domain.webhooks.request import SECRET_UNREADABLE
from clinic_chat.openid.discovery import Problem
from clinic_chat.outbound.errors import Failure
from clinic_chat.settings import PROJECT_ROOT
from clinic_chat.ui.build.texts import error_texts_module
from clinic_chat.ui.i18n.error_texts import (
    ADMINISTRATION,
    COMMANDS,
    GENERAL,
    LINKS,
    PARAMETERS,
    PASSKEYS,
    PROVIDER_CHECK,
    SETUP,
    SIGN_IN,
    UNSENT,
    WEBHOOK_ATTEMPT,
)

SOURCE = PROJECT_ROOT / "clinic_chat"
BROWSER_MODULES = PROJECT_ROOT / "assets" / "live"
HOME = SOURCE / "ui" / "i18n" / "error_texts.py"
DISPATCHER = "clinic_chat.realtime.commands.dispatcher"
ON_SCREENS = set(COMMANDS).union(UNSENT, LINKS, PASSKEYS, SETUP, ADMINISTRATION)
TEXTS = (COMMANDS, UNSENT, SIGN_IN, PASSKEYS, LINKS, SETUP, ADMINISTRATION)
CODES = set().union(*TEXTS) - {GENERAL}
# What our own pages do not do, and what they deal with in silence. `*` is a name that is put in.
OF_THE_GENERAL_TEXT = {
    "*_invalid",
    "*_not_text",
    "assignee_invalid",
    "conflict",
    "cursor_invalid",
    "draft_invalid",
    "edit_invalid",
    "feed_invalid",
    "filter_invalid",
    "ids_invalid",
    "internal",
    "invalid",
    "locale_invalid",
    "not_an_object",
    "not_open",
    "role_invalid",
    "search_too_long",
    "seq_invalid",
    "sound_invalid",
    "status_invalid",
    "number_invalid",
    "wrong_author",
}
# Only command lines, programs at the API and the sign-in, which has codes of its own, meet these.
OF_NO_SCREEN = {
    "activeSince_invalid",
    "address_invalid",
    "body_missing",
    "days_invalid",
    "delivery_pending",
    "externalId_missing",
    "limit_invalid",
    "not_joined",
    "conversations_overlap",
    "externalId_invalid",
    "identity_missing",
    "identity_taken",
    "kind_invalid",
    "not_outbound",
    "phone_invalid",
    "phone_missing",
    "reason_not_text",
    "same_patient",
    "search_invalid",
    "slug_invalid",
    "status_final",
    "too_many_conversations",
    "too_many_identities",
}
# What an answer tells besides its code (docs/protocol.md).
TOLD = {"already_assigned": {"name"}}
# States of the connection and of notifications, which have the names of codes.
STATES = {
    ("connection_badge.py", "offline"),
    ("connection_badge.py", "restarting"),
    ("menu.py", "unavailable"),
}
BROWSER_CODES = (
    re.compile(r'\b(?:notice|refuse|fail)\((?:[^()"]|\([^()]*\))*"(\w+)"'),
    re.compile(r'\berror: \{ code: "(\w+)"'),
    re.compile(r'\bTOO_OLD = "(\w+)"'),
    re.compile(r'^  if \(.*\) return "(body_\w+)";', re.MULTILINE),
)


def modules(*folders: Path) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            yield path, ast.parse(path.read_text())


def pattern(value: ast.expr) -> str:
    """A code as it is written, with `*` for what is put in."""
    match value:
        case ast.Constant(value=str() as code):
            return code
        case ast.JoinedStr(values=parts):
            return "".join(pattern(part) for part in parts)
        case ast.FormattedValue():
            return "*"
    raise AssertionError(f"write the code where it is given: {ast.unparse(value)}")


def codes_of(node: ast.AST) -> Iterator[str]:
    """The codes that an error class, or the raising of one, has."""
    match node:
        case ast.keyword(arg="code", value=value):
            yield pattern(value)
        case ast.ClassDef(body=body):
            for line in body:
                match line:
                    case ast.Assign(targets=[ast.Name(id="code")], value=value):
                        yield pattern(value)


def answered_codes() -> set[str]:
    """What the dispatcher answers with by itself."""
    dispatcher = importlib.import_module(DISPATCHER)
    found = set()
    for node in ast.walk(ast.parse(Path(str(dispatcher.__file__)).read_text())):
        match node:
            case ast.Call(func=ast.Name(id="error"), args=[ast.Constant(value=str() as code), *_]):
                found.add(code)
            case ast.Call(func=ast.Name(id="error"), args=[ast.Name(id=name), *_]):
                found.add(getattr(dispatcher, name))
    return found


def server_codes() -> set[str]:
    """The codes of what the domain and the real-time half refuse; imports run without a screen."""
    imports = SOURCE / "domain" / "imports"
    return answered_codes().union(
        code
        for path, module in modules(SOURCE / "domain", SOURCE / "realtime")
        if imports not in path.parents
        for node in ast.walk(module)
        for code in codes_of(node)
    )


def browser_codes() -> set[str]:
    """The codes that browser modules have of their own."""
    sources = [path.read_text() for path in BROWSER_MODULES.rglob("*.js")]
    found = [
        {code for source in sources for code in each.findall(source)} for each in BROWSER_CODES
    ]
    assert all(found), "a pattern finds nothing any more"
    return set().union(*found)


def sign_in_codes() -> set[str]:
    """The codes with which somebody is sent to the sign-in page."""
    steps = [
        SOURCE / "api" / "auth" / f"{name}.py"
        for name in ("sign_in", "second_step", "single_sign_on")
    ]
    refused = {
        pattern(call.args[2])
        for step in steps
        for call in ast.walk(ast.parse(step.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("refused", "_refused")
        and len(call.args) > 2
    }
    socket = (BROWSER_MODULES / "app" / "socket.js").read_text()
    return refused.union(re.findall(r'query\.set\("error", "(\w+)"\)', socket))


def test_every_code_of_the_server_has_a_text_or_is_known_to_need_none() -> None:
    assert server_codes() - ON_SCREENS == OF_THE_GENERAL_TEXT | OF_NO_SCREEN


def test_every_code_of_the_browser_has_a_text() -> None:
    assert browser_codes() - set(COMMANDS) - set(UNSENT) == set()


def test_the_sign_in_page_has_a_text_for_every_code() -> None:
    assert sign_in_codes() == set(SIGN_IN)


def test_a_check_of_a_provider_has_a_text_for_all_that_it_finds() -> None:
    assert set(PROVIDER_CHECK) == {*Failure, *Problem, GENERAL}


def test_an_attempt_at_a_webhook_has_a_text_for_all_that_it_meets() -> None:
    of_json_alone = {Failure.NOT_JSON, Failure.TOO_LARGE}
    assert set(WEBHOOK_ATTEMPT) == {*Failure, SECRET_UNREADABLE, GENERAL} - of_json_alone


def test_every_text_is_of_a_code() -> None:
    known = server_codes() | browser_codes() | {GENERAL}

    assert set(COMMANDS) | set(UNSENT) <= known


@pytest.mark.parametrize("texts", TEXTS)
def test_every_placeholder_has_a_value(texts: dict[str, str]) -> None:
    for code, text in texts.items():
        values = set(PARAMETERS.get(code, {})) | TOLD.get(code, set())
        assert set(re.findall(r"\{(\w+)\}", text)) == values, code


def test_the_build_writes_what_notices_and_the_message_box_say() -> None:
    path, source = error_texts_module()
    exported = dict(re.findall(r"^export const (\w+) = (.*);$", source, re.MULTILINE))

    assert path == "utils/error_texts.js"
    assert {name: json.loads(value) for name, value in exported.items()} == {
        "GENERAL": GENERAL,
        "texts": COMMANDS,
        "parameters": PARAMETERS,
    }


def says(node: ast.expr) -> bool:
    """Whether this is a text for people."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t"


def mapped(node: ast.AST) -> Iterator[ast.expr]:
    """What has a text right beside it: keys of a dictionary, cases of `match` and `cond`."""
    match node:
        case ast.Dict(keys=keys, values=values):
            yield from (key for key, value in zip(keys, values, strict=True) if key and says(value))
        case ast.Tuple(elts=[case, text]) if says(text):
            yield case
        case ast.Call(func=ast.Attribute(attr="cond"), args=[condition, *texts]):
            if any(says(text) for text in texts):
                yield from (part for part in ast.walk(condition) if isinstance(part, ast.Constant))


def test_no_other_screen_has_texts_for_codes() -> None:
    found = {
        (path.name, part.value)
        for path, module in modules(SOURCE / "ui")
        if path != HOME
        for node in ast.walk(module)
        for part in mapped(node)
        if isinstance(part, ast.Constant) and part.value in CODES
    }

    assert found == STATES


def test_no_browser_module_has_texts_for_codes() -> None:
    names = "|".join(sorted(CODES))
    beside = re.compile(rf"""(?:["']({names})["']|\b({names}):)[^;]{{0,60}}?(?<![\w.])t\(""")

    assert [
        (path.name, found[0])
        for path in BROWSER_MODULES.rglob("*.js")
        for found in beside.finditer(path.read_text())
    ] == []
