"""The panel about the open conversation's patient."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.row import status_badge
from clinic_chat.ui.live import UNTRANSLATED, LongDate, fresh
from clinic_chat.ui.theme import avatar
from clinic_chat.ui.thread.state import Thread


def patient_panel() -> rx.Component:
    """Who the patient is."""
    patient = Thread.conversation
    return rx.el.aside(
        rx.el.button(
            rx.icon("x", size=18),
            type="button",
            class_name="icon-button patient-close",
            aria_label=t("Close patient details"),
            on_click=Thread.toggle_patient,
        ),
        rx.cond(
            patient.id != "",
            rx.el.div(
                rx.el.div(
                    avatar(patient.initials, patient.hue, "l"),
                    rx.el.h2(fresh(patient.patient_name), custom_attrs=UNTRANSLATED),
                    class_name="patient-head",
                ),
                rx.el.dl(
                    _fact(t("Phone"), _phone(patient.patient_phone)),
                    _fact(t("Status"), status_badge(patient.status)),
                    _fact(
                        t("Assigned to"),
                        fresh(
                            rx.cond(patient.assignee_name != "", patient.assignee_name, t("Nobody"))
                        ),
                    ),
                    _fact(t("Messages"), fresh(patient.last_seq)),
                    _fact(t("Patient since"), LongDate.create(at=patient.patient_since)),
                ),
                key=patient.id,
            ),
            rx.fragment(),
        ),
        class_name="patient-pane",
        aria_label=t("Patient details"),
    )


def _fact(name: rx.Var[str], value: rx.Component | rx.Var[str]) -> rx.Component:
    return rx.el.div(rx.el.dt(name), rx.el.dd(value))


def _phone(number: rx.Var[str]) -> rx.Component:
    return rx.cond(
        number != "",
        rx.el.a(number, href="tel:" + number, custom_attrs=UNTRANSLATED),
        t("Unknown"),
    )
