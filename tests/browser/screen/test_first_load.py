"""What a page loads before it is drawn: its own code and texts, and not those of other screens."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic_chat.server.serve import BUILT
from clinic_chat.ui.i18n.catalogs import texts
from clinic_chat.ui.i18n.text_domains import TextDomain

SCRIPT = re.compile(r'"/(assets/[^"]+\.js)"')
IMPORT = re.compile(r'(?:from|import)"\./([^"]+\.js)"')
# Over HTTP/1.1 a browser asks for six at once, and a phone waits 150 ms for each six.
MOST_SCRIPTS = 14


def loaded(page: str) -> dict[str, str]:
    """The scripts that a page imports from the start, by name."""
    found: dict[str, str] = {}
    waiting = [*SCRIPT.findall((BUILT / page).read_text())]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = (BUILT / path).read_text()
            folder = Path(path).parent
            waiting += [str(folder / name) for name in IMPORT.findall(found[path])]
    return found


def translations(domain: TextDomain) -> Iterator[str]:
    """Translations that are of this domain alone, as they stand in a script."""
    catalogs = {one: texts("pt-BR", one).values() for one in TextDomain}
    others = [text for one, found in catalogs.items() if one != domain for text in found]
    for text in catalogs[domain]:
        if isinstance(text, str) and len(text) > 20 and text not in others:
            yield text


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("page", "own", "foreign"),
    [
        ("index.html", [TextDomain.MAIN], [TextDomain.SIGN_IN, TextDomain.SETTINGS]),
        ("login.html", [TextDomain.MAIN, TextDomain.SIGN_IN], [TextDomain.SETTINGS]),
        ("settings/tokens.html", [*TextDomain], []),
    ],
)
def test_a_page_brings_its_own_texts_and_not_those_of_other_screens(
    page: str, own: list[TextDomain], foreign: list[TextDomain]
) -> None:
    code = "".join(loaded(page).values())

    for domain in own:
        assert [text for text in translations(domain) if text not in code] == [], domain
    for domain in foreign:
        assert [text for text in translations(domain) if text in code] == [], domain


@pytest.mark.usefixtures("server")
def test_the_inbox_begins_with_few_files() -> None:
    assert len(loaded("index.html")) <= MOST_SCRIPTS
