"""The browser cleans text as the server does."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

from clinic_chat.domain.characters import clean_text, is_visible

BUN = Path(sys.executable).parent / "bun"
SCRIPT = Path(__file__).parent / "clean_text.js"
TEXTS = ["", " \r\n\r\x0b\x0c ", "a\r\nb", "👩‍👩‍👧‍👦", "e\u0301", "\ud83dx\ude00", "\ud83d\ude00"]


def test_every_character_is_cleaned_and_seen_alike() -> None:
    # Unicode grows: what this Python does not know yet the browser may.
    known = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in {"Cn", "Co"}]
    texts = TEXTS + known
    done = subprocess.run(
        [BUN, SCRIPT], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    browsers = json.loads(done.stdout)

    # JSON joins the halves of a pair that Python keeps apart.
    texts = json.loads(json.dumps(texts))
    servers = [[clean_text(text), is_visible(text)] for text in texts]
    differing = {
        text.encode("unicode-escape"): (browser, server)
        for text, browser, server in zip(texts, browsers, servers, strict=True)
        if browser != server
    }
    assert differing == {}
