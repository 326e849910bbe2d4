"""The key that hashes cookies: long, private, and one for all who start together."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from clinic_chat.settings import KEY_LENGTH, Settings, key_in


def test_processes_that_start_together_have_one_private_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_in(path), range(40)))

    assert len(keys) == 1
    assert len(keys.pop()) >= KEY_LENGTH
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_file_that_others_can_read_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("k" * KEY_LENGTH + "\n")
    path.chmod(0o644)

    assert key_in(path) == "k" * KEY_LENGTH
    assert oct(path.stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("key", ["", "\n", "k", "k" * (KEY_LENGTH - 1)])
def test_a_file_without_a_key_is_refused_and_left_as_it_is(tmp_path: Path, key: str) -> None:
    path = tmp_path / "key"
    path.write_text(key)

    with pytest.raises(ValueError, match=f"key: a key has at least {KEY_LENGTH} characters"):
        key_in(path)
    assert path.read_text() == key


def test_a_short_key_in_the_environment_is_refused() -> None:
    with pytest.raises(ValidationError, match=f"at least {KEY_LENGTH} characters, this one has 6"):
        Settings(secret_key="secret")
    assert Settings(secret_key="k" * KEY_LENGTH).signing_key() == b"k" * KEY_LENGTH
