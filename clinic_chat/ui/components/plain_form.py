"""Plain form: a form that the browser submits itself, which Reflex's own always prevents."""

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML


class PlainForm(BaseHTML):
    """An HTML form without Reflex's submit handler."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


plain_form = PlainForm.create
