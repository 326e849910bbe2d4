"""Source patches: changes of generated code, each checked against the pinned Reflex version."""

from pathlib import Path

from reflex_base.constants import Templates


class UnexpectedSource(RuntimeError):
    """A generated file is not as its patch expects, because the Reflex version is another one."""

    def __init__(self, file: str, expected: str, found: int) -> None:
        super().__init__(
            f"{file} of this Reflex version is not as expected: {expected!r} is there {found} "
            "times. Adapt clinic_chat/ui to it."
        )


def replace_once(source: str, old: str, new: str, file: str) -> str:
    """`source` with `new` in place of `old`; unchanged if `new` is already there.

    Raises:
        UnexpectedSource: `old` is not there exactly once; the build stops.
    """
    if new in source:
        return source
    if source.count(old) != 1:
        raise UnexpectedSource(file, old, source.count(old))
    return source.replace(old, new)


def template(file: str) -> str:
    """The text of `file` in Reflex's template, from which Reflex writes a file only once.

    The written file has the changes of the version of this project that made it.
    """
    return Path(Templates.Dirs.WEB_TEMPLATE, file).read_text()
