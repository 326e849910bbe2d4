"""Theme: style sheets, the product's logo, and avatars."""

import reflex as rx

SHEETS = (
    "tokens",
    "base",
    "components/avatar",
    "components/connection",
    "components/delivery_tick",
    "components/empty_state",
    "components/failed_part",
    "components/logo",
    "components/skeleton",
    "buttons/button",
    "buttons/icon_button",
    "buttons/link_button",
    "buttons/text_button",
    "buttons/copy_button",
    "buttons/load_more_button",
    "overlays/menu",
    "overlays/confirm_dialog",
    "overlays/drawer",
    "overlays/notices",
    "workspace/workspace",
    "workspace/skip_link",
    "inbox/conversation_list",
    "inbox/search_box",
    "inbox/filter",
    "inbox/conversation_row",
    "inbox/status_badge",
    "inbox/unread_badge",
    "inbox/presence",
    "thread/thread",
    "thread/thread_header",
    "thread/message_list",
    "thread/message",
    "thread/message_actions",
    "thread/jump_button",
    "thread/composer",
    "thread/typing_indicator",
    "patient/patient_panel",
    "sign_in/sign_in",
    "settings/settings",
    "settings/hours",
    "settings/invitation_link",
    "not_found/not_found",
    "print",
)
# In this order: tokens and base first.
STYLESHEETS = [f"/styles/{sheet}.css" for sheet in SHEETS]


# The header's background (assets/styles/tokens.css), for the browser's own bars around it.
BAR_COLORS = {"light": "#ffffff", "dark": "#18191b"}
# Covers the whole screen, with margins at round corners (`env(safe-area-inset-…)`), and shrinks
# while a phone's keyboard is open, so that the message box stays above it.
VIEWPORT = (
    "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
)


def head() -> list[rx.Component]:
    """Elements of the page's head for browsers, and for phones that install it as an app."""
    return [
        rx.el.meta(name="viewport", content=VIEWPORT),
        # The icon of the browser's tab, which assets/live/notifications/unread_badge.js changes.
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(rel="apple-touch-icon", href="/icons/apple-touch-icon.png"),
        rx.el.link(rel="manifest", href="/manifest.webmanifest"),
        # assets/live/app/bar_color.js changes these for a theme that is not the system's.
        *(
            rx.el.meta(
                name="theme-color",
                content=color,
                custom_attrs={
                    "media": f"(prefers-color-scheme: {scheme})",
                    "data-scheme": scheme,
                },
            )
            for scheme, color in BAR_COLORS.items()
        ),
    ]


def logo() -> rx.Component:
    """The product's logo."""
    return rx.el.span(
        rx.icon("messages-square", size=18),
        class_name="logo",
        custom_attrs={"aria-hidden": "true"},
    )


def avatar(initials: rx.Var[str] | str, hue: rx.Var[int] | int, size: str = "m") -> rx.Component:
    """The initials on a colour that stays the same for the same person."""
    return rx.el.span(
        initials,
        class_name=f"avatar avatar-{size}",
        # As an attribute: for a `style`, Reflex adds a rule to the page's style sheet per hue.
        custom_attrs={"aria-hidden": "true", "style": rx.Var.create({"--hue": hue})},
    )
