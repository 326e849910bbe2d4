"""Inbox page: conversations, the open thread and its patient, side by side where there is room."""

import reflex as rx

from clinic_chat.ui.account.menu import account_forms, leaving_dialog
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.controls import Boundary, Notices, SkipLinks
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.list import conversation_list
from clinic_chat.ui.inbox.state import Inbox
from clinic_chat.ui.patient.panel import patient_drawer, patient_pane
from clinic_chat.ui.thread.pane import thread_pane
from clinic_chat.ui.thread.state import Thread
from clinic_chat.ui.workspace.bridge import LiveBridge

# Served at `/` and `/c/<conversation id>` alike (see ui/build/reflex_modules.py).
ROUTE = "/[[...splat]]"
ON_LOAD = Account.load


def inbox_page() -> rx.Component:
    """The one screen that staff work in."""
    return rx.el.div(
        LiveBridge.create(
            inbox_state=Inbox.get_full_name(),
            thread_state=Thread.get_full_name(),
            phase=Thread.phase,
            user_id=Account.user_id,
            clinic=Account.clinic,
            time_zone=Account.time_zone,
            locale=Account.locale,
            sound=Account.sound,
            clinic_name=Account.clinic_name,
            patient_name=Thread.conversation.patient_name,
        ),
        SkipLinks.create(
            to_list=t("Skip to the list"), to_conversation=t("Skip to the conversation")
        ),
        Boundary.create(conversation_list(), whole=True),
        Boundary.create(thread_pane(), of=Thread.conversation.id, whole=True),
        Boundary.create(patient_pane(), of=Thread.conversation.id, whole=True),
        Boundary.create(patient_drawer(), of=Thread.conversation.id),
        account_forms(),
        Boundary.create(leaving_dialog()),
        Boundary.create(Notices.create()),
        class_name="workspace",
        custom_attrs={"data-phase": Thread.phase},
    )
