"""Links in messages: what is read is what was written, and leads nowhere else."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

BUN = Path(sys.executable).parent / "bun"
SCRIPT = Path(__file__).parent / "links.js"
# Bodies of a patient are at most this long.
LONGEST = 65_536
# Generous on a slow machine; what goes back over the text again and again takes minutes.
LONGEST_SECONDS = 5

Part = dict[str, str]
Linked = Callable[[str], list[Part]]


@pytest.fixture(scope="module")
def linked() -> Iterator[Linked]:
    with subprocess.Popen(
        [BUN, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def ask(body: str) -> list[Part]:
            stdin.write(json.dumps(body) + "\n")
            stdin.flush()
            found: list[Part] = json.loads(stdout.readline())
            return found

        yield ask
        stdin.close()


@pytest.mark.parametrize(
    ("body", "text", "href"),
    [
        (
            "Veja https://exames.example.com/r?id=1.",
            "https://exames.example.com/r?id=1",
            "https://exames.example.com/r?id=1",
        ),
        ("(https://a.example/x_(y))", "https://a.example/x_(y)", "https://a.example/x_(y)"),
        ("www.clinica.com.br, viu?", "www.clinica.com.br", "https://www.clinica.com.br/"),
        ("HTTPS://Exemplo.com.br", "HTTPS://Exemplo.com.br", "https://exemplo.com.br/"),
        ("mande p/ joana.d+lab@uol.com.br!", "joana.d+lab@uol.com.br", None),
        ("ligue +55 11 98765-4321", "+55 11 98765-4321", "tel:+5511987654321"),
        ("meu nº (11) 98765-4321.", "(11) 98765-4321", "tel:11987654321"),
        ("11 3234-5678", "11 3234-5678", "tel:1132345678"),
        ("21 9 8765-4321", "21 9 8765-4321", "tel:21987654321"),
        ("0800 123 4567", "0800 123 4567", "tel:08001234567"),
        ("98765-4321", "98765-4321", "tel:987654321"),
    ],
)
def test_addresses_and_numbers_become_links(
    linked: Linked, body: str, text: str, href: str | None
) -> None:
    found = [part for part in linked(body) if "href" in part]

    assert found == [{"text": text, "href": href or f"mailto:{text}"}]


@pytest.mark.parametrize(
    "body",
    [
        "javascript:alert(1)",
        "http://sem-cadeado.example",
        "https://banco.com@ladrao.example/",
        "https://bаnco.com.br/",
        "https://xn--bnco-5cd.com.br/",
        "https://exemplo.com\u202emoc.example",
        "https://localhost/",
        "https://10.0.0.1/",
        "ftp://x.example data:text/html,<b>x</b>",
        "<img src=x onerror=alert(1)>",
        "CPF 123.456.789-09",
        "CPF 12345678909",
        "de 2025-2026 a 23/11/2026",
        "14x8 15x9 16/11 120/80",
        "protocolo 20261127000123456",
        "um@dois",
    ],
)
def test_what_misleads_or_is_none_stays_text(linked: Linked, body: str) -> None:
    parts = linked(body)

    assert "".join(part["text"] for part in parts) == body
    assert [part["href"] for part in parts if part.get("href", "").startswith("https:")] == []
    assert not any("href" in part for part in parts), parts


_PIECES = st.sampled_from(
    ["https://", "www.", "a.example", "@", "(11) ", "9", "8765-4321", "+55 ", ")", " ", "\n", "é"]
)


@given(st.lists(st.one_of(_PIECES, st.text(max_size=8)), max_size=12).map("".join))
def test_no_letter_is_lost_or_added(linked: Linked, body: str) -> None:
    body = body.encode("utf-8", "ignore").decode()

    parts = linked(body)

    assert "".join(part["text"] for part in parts) == body
    for part in parts:
        assert part.get("href", "tel:").startswith(("https://", "mailto:", "tel:"))


@pytest.mark.parametrize("piece", ["a", "1 ", "a.", "https://", "a@", "(11) ", "+1", "-", "www.a"])
def test_the_longest_message_takes_no_longer(linked: Linked, piece: str) -> None:
    body = (piece * LONGEST)[:LONGEST]
    begun = perf_counter()

    linked(f"@{body}")

    assert perf_counter() - begun < LONGEST_SECONDS
