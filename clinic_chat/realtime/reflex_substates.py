"""Makes a tab's states when they are used, where Reflex makes all of them when the tab connects.

A tab of the inbox uses two or three of a dozen; each takes 1 KB. What was not used yet is at its
defaults, and those of all tabs are read from one copy (docs/reflex.md).
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from reflex.state import BaseState

Init = Callable[..., None]


def make_substates_when_used() -> None:
    """Have every state that is made from now on make its substates when they are used."""
    BaseState.__init__ = when_used(BaseState.__init__)  # type: ignore[method-assign]


def when_used(init: Init) -> Init:
    """`BaseState.__init__` in which the substates are not made."""

    def make(
        self: BaseState,
        parent_state: BaseState | None = None,
        init_substates: bool = True,
        **values: Any,
    ) -> None:
        init(self, parent_state, False, **values)
        if init_substates and self.get_substates():
            object.__setattr__(self, "substates", Substates(self))

    return make


class Substates(dict[str, BaseState]):
    """A state's substates by name: those in use, and the defaults of the others to look at."""

    __slots__ = ("_state",)

    def __init__(self, state: BaseState) -> None:
        super().__init__()
        self._state = state

    def __missing__(self, name: str) -> BaseState:
        kind = type(_defaults(type(self._state))[name])
        made = self[name] = kind(parent_state=self._state, _reflex_internal_init=True)
        return made

    def __contains__(self, name: object) -> bool:
        return name in _defaults(type(self._state))

    def __iter__(self) -> Iterator[str]:
        return iter(_defaults(type(self._state)))

    def __len__(self) -> int:
        return len(_defaults(type(self._state)))

    def used(self) -> list[str]:
        """The names of those that were made."""
        return list(super().keys())

    def values(self) -> list[BaseState]:  # type: ignore[override]
        """All of them; one that is not in use must not be changed."""
        defaults = _defaults(type(self._state))
        return [super(Substates, self).get(name, one) for name, one in defaults.items()]


@cache
def _defaults(kind: type[BaseState]) -> dict[str, BaseState]:
    """A state of each kind below this one, for all tabs."""
    parent = kind(_reflex_internal_init=True)
    return {
        one.get_name(): one(parent_state=parent, _reflex_internal_init=True)
        for one in kind.get_substates()
    }
