"""Which passwords may be set, and that one is the same however it is typed."""

import unicodedata

import pytest

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.domain.accounts.passwords import check_new_password, hash_password, verify_password
from clinic_chat.domain.errors import InvalidInput
from tests.conftest import stored

OWN = ("ana.moura@aurora.example", "Ana Beatriz Moura", "Clínica Aurora")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_length"),
        ("1234567890", "password_length"),
        ("x" * 201, "password_length"),
        # Eleven characters, however many code points they are typed with.
        (unicodedata.normalize("NFD", "éèêëéèêëéèê"), "password_length"),
        ("123456789012", "password_common"),
        ("password1234", "password_common"),
        ("qwertyuiop12", "password_common"),
        ("Senha1234567", "password_common"),
        ("aaaaaaaaaaaaaaaa", "password_common"),
        ("ana.moura@aurora.example", "password_personal"),
        ("AnaBeatrizMoura", "password_personal"),
        ("clínica-aurora!", "password_personal"),
        ("Clinica Aurora 26", "password_personal"),
        (DEMO_PASSWORD, "password_personal"),
        ("correct horse\x00battery", "password_characters"),
        ("correct horse\ud800battery", "password_characters"),
    ],
    ids=ascii,
)
def test_what_others_would_try_first_is_refused(password: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_new_password(password, OWN)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "uma tarde no parque",
        "açaí com granola 🌸 às 7",
        "banana-bread-oven",
        "x7#kQ9!vLp2z",
        "correct horse battery staple " * 6,
    ],
)
def test_a_sentence_or_a_random_password_is_taken(password: str) -> None:
    check_new_password(password, OWN)


async def test_a_password_is_the_same_however_its_accents_are_typed() -> None:
    kept = stored(await hash_password(unicodedata.normalize("NFD", "açaí com granola")))

    assert await verify_password(unicodedata.normalize("NFC", "açaí com granola"), kept)
    assert not await verify_password("acai com granola", kept)
