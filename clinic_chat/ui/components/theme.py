"""The look of the product: its style sheets, its logo, and people's avatars."""

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
    "not_found/not_found",
    "print",
)
# In this order: tokens and base first.
STYLESHEETS = [f"/styles/{sheet}.css" for sheet in SHEETS]


# What the header is drawn on (assets/styles/tokens.css), for the browser's own bars around it.
BAR_COLORS = {"light": "#ffffff", "dark": "#18191b"}
# Over the whole screen, with a margin where it is round (`env(safe-area-inset-…)`); and smaller
# while the keyboard of a phone is open, so that the message box stays above it.
VIEWPORT = (
    "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
)


def head() -> list[rx.Component]:
    """What browsers and phones need to show the product as an app of its own."""
    return [
        rx.el.meta(name="viewport", content=VIEWPORT),
        # The icon of the browser's tab, which assets/live/notifications/unread_badge.js changes.
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(rel="apple-touch-icon", href="/icons/apple-touch-icon.png"),
        rx.el.link(rel="manifest", href="/manifest.webmanifest"),
        # Where a person chose the other theme than the system's, assets/live/app/bar_color.js does.
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
    """Initials on a colour that stays the same for the same person."""
    return rx.el.span(
        initials,
        class_name=f"avatar avatar-{size}",
        # As an attribute: of a `style`, Reflex makes a rule in the page's style sheet for each hue.
        custom_attrs={"aria-hidden": "true", "style": rx.Var.create({"--hue": hue})},
    )
