"""Patient panel: details of the open conversation's patient."""

import reflex as rx

from clinic_chat.ui.components.bindings import browser_call
from clinic_chat.ui.components.controls import CopyButton, Drawer
from clinic_chat.ui.components.texts import UNTRANSLATED, fresh
from clinic_chat.ui.components.theme import avatar
from clinic_chat.ui.components.times import LongDate
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.row import status_badge
from clinic_chat.ui.thread.state import Thread


def patient_pane() -> rx.Component:
    """The patient's details beside the thread, where there is room."""
    return rx.el.aside(_facts(), class_name="patient-panel", aria_label=t("Patient details"))


def patient_drawer() -> rx.Component:
    """The patient's details over the thread, where there is no room beside it."""
    return Drawer.create(
        rx.el.div(
            rx.el.button(
                rx.icon("x", size=18),
                type="button",
                class_name="icon-button patient-panel-close",
                aria_label=t("Close patient details"),
                title=t("Close patient details"),
                on_click=browser_call("components/drawer", "closeDrawer"),
            ),
            _facts(),
            class_name="patient-panel-drawer",
        ),
        label=t("Patient details"),
    )


def _facts() -> rx.Component:
    patient = Thread.conversation
    return rx.cond(
        patient.id,
        rx.el.div(
            rx.el.div(
                avatar(patient.initials, patient.hue, "l"),
                rx.el.h2(fresh(patient.patient_name), custom_attrs=UNTRANSLATED),
                class_name="patient-panel-head",
            ),
            rx.el.dl(
                rx.cond(
                    patient.patient_other_names.length() > 0,
                    _fact(
                        t("Also writes as"),
                        fresh(
                            patient.patient_other_names.join(", "),
                            custom_attrs=UNTRANSLATED,
                        ),
                    ),
                    rx.fragment(),
                ),
                _fact(t("Phone"), _phone(patient.patient_phone, patient.patient_phone_shown)),
                _fact(t("Status"), status_badge(patient.status)),
                _fact(
                    t("Assigned to"),
                    fresh(
                        rx.cond(patient.assignee_name != "", patient.assignee_name, t("Nobody")),
                        custom_attrs=UNTRANSLATED,
                    ),
                ),
                _fact(t("Messages"), fresh(patient.last_seq)),
                _fact(t("Patient since"), LongDate.create(at=patient.patient_since)),
                class_name="patient-panel-facts",
            ),
            key=patient.id,
        ),
        rx.fragment(),
    )


def _fact(name: rx.Var[str], value: rx.Component | rx.Var[str]) -> rx.Component:
    return rx.el.div(rx.el.dt(name), rx.el.dd(value))


def _phone(number: rx.Var[str], shown: rx.Var[str]) -> rx.Component:
    return rx.cond(
        number != "",
        rx.el.span(
            # An address that is no phone number cannot be called.
            rx.cond(
                number.startswith("+"),
                rx.el.a(shown, href="tel:" + number, custom_attrs=UNTRANSLATED),
                rx.el.span(shown, custom_attrs=UNTRANSLATED),
            ),
            CopyButton.create(text=shown, label=t("Copy the number")),
            class_name="patient-panel-phone",
        ),
        t("Unknown"),
    )
