"""Empty state: the content of a pane without data."""

import reflex as rx


def notice(
    icon: str,
    title: rx.Var[str],
    text: rx.Var[str] | None = None,
    action: rx.Component | None = None,
) -> rx.Component:
    """An icon, a title with an explanation, and an action."""
    return rx.el.div(
        rx.icon(icon, size=34, custom_attrs={"strokeWidth": 1.5}),
        rx.el.h2(title),
        rx.fragment() if text is None else rx.el.p(text, class_name="text-quiet"),
        action or rx.fragment(),
        class_name="empty-state empty-state-pane",
    )
