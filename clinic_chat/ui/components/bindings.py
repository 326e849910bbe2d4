"""Bindings: event triggers and values of browser modules for components of the server."""

import zlib
from pathlib import PurePosixPath
from typing import Any

import reflex as rx
from reflex.event import EventChain
from reflex.vars import VarData


def browser_call(module: str, function: str, *arguments: Any) -> Any:
    """An event trigger that calls a function of a browser module, without the server.

    `module` is its path in assets/live, such as `thread/actions`.
    """
    variables = [rx.Var.create(argument) for argument in arguments]
    alias = f"{function}_{PurePosixPath(module).name}"
    return rx.Var(
        _js_expr=f"(() => {alias}({', '.join(str(variable) for variable in variables)}))",
        _var_type=EventChain,
        _var_data=VarData.merge(
            *(variable._get_all_var_data() for variable in variables),
            VarData(
                imports={f"$/public/live/{module}.js": [rx.ImportVar(tag=function, alias=alias)]}
            ),
        ),
    )


def browser_handler(module: str, function: str) -> Any:
    """An event trigger that hands the browser's event to a function of a browser module."""
    alias = f"{function}_{PurePosixPath(module).name}"
    return rx.Var(
        _js_expr=alias,
        _var_type=EventChain,
        _var_data=VarData(
            imports={f"$/public/live/{module}.js": [rx.ImportVar(tag=function, alias=alias)]}
        ),
    )


def browser_value(module: str, store: str, expression: str, var_type: Any = str) -> Any:
    """A value of a browser module's store; components that use it follow its changes."""
    name = f"{store}Value"
    return rx.Var(
        _js_expr=f"{name}.{expression}",
        _var_type=var_type,
        _var_data=VarData(
            imports={f"$/public/live/{module}.js": [rx.ImportVar(tag=store)]},
            hooks={f"const {name} = {store}.use();": None},
        ),
    ).to(var_type)


def in_slices(ready: rx.Var[bool]) -> rx.Var[bool]:
    """`ready`, true only after the parts that show with it are drawn (react/deferred.js).

    For large parts: drawn in one go they would block a slow machine for most of a second.
    """
    name = f"drawn{zlib.crc32(str(ready).encode()):x}"
    return rx.Var(
        _js_expr=name,
        _var_type=bool,
        _var_data=VarData.merge(
            ready._get_all_var_data(),
            VarData(
                imports={
                    "$/public/live/components/react/deferred.js": [rx.ImportVar(tag="useSlices")]
                },
                hooks={f"const {name} = useSlices({ready!s});": None},
            ),
        ),
    ).to(bool)
