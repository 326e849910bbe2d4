"""Forms of pages that are rendered in advance, before their code runs."""

import re

import pytest

from clinic_chat.server.serve import BUILT

FORM = re.compile(r"<form(?P<attributes>[^>]*)>(?P<inside>.*?)</form>", re.S)
SUBMIT = re.compile(r'<button[^>]*type="submit"[^>]*>')


@pytest.mark.usefixtures("server")
def test_no_form_puts_what_was_typed_into_an_address() -> None:
    pages = sorted(BUILT.rglob("*.html"))
    found = 0

    assert len(pages) > 10
    for page in pages:
        html = page.read_text()
        for form in FORM.finditer(html):
            # A browser sends a form without these by GET, and passwords would be in logs.
            if 'method="post"' in form["attributes"]:
                continue
            found += 1
            before = html[: form.start()]
            fields = before[before.rfind("<fieldset") :] if "<fieldset" in before else ""
            disabled = "disabled" in fields.partition(">")[0] and "</fieldset>" not in fields
            buttons = SUBMIT.findall(form["inside"])
            assert buttons, page
            assert disabled or all("disabled" in button for button in buttons), page
    assert found > 3
