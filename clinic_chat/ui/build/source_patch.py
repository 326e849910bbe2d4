"""Changes of what Reflex generates, each checked against the pinned version."""

from pathlib import Path

from reflex_base.constants import Templates


class UnexpectedSource(RuntimeError):
    """A generated file is not as the change of it expects: the Reflex version is another one."""

    def __init__(self, file: str, expected: str, found: int) -> None:
        super().__init__(
            f"{file} of this Reflex version is not as expected: {expected!r} is there {found} "
            "times. Adapt clinic_chat/ui to it."
        )


def replace_once(source: str, old: str, new: str, file: str) -> str:
    """`source` with `new` in the place of `old`; as it is when it was changed before.

    Raises:
        UnexpectedSource: `old` is not there exactly once; the build stops.
    """
    if new in source:
        return source
    if source.count(old) != 1:
        raise UnexpectedSource(file, old, source.count(old))
    return source.replace(old, new)


def template(file: str) -> str:
    """What Reflex's template has in `file`, which Reflex writes once and keeps.

    What is kept has the changes of whatever version of this project made it.
    """
    return Path(Templates.Dirs.WEB_TEMPLATE, file).read_text()
