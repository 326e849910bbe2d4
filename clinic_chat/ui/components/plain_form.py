"""A form that the browser submits by itself; Reflex's own always prevents that."""

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML


class PlainForm(BaseHTML):
    """An HTML form without Reflex's submit handler."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


plain_form = PlainForm.create
