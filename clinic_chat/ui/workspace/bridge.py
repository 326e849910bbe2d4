"""Live bridge: passes Reflex's data to the browser modules (assets/live/app/bridge.js)."""

import reflex as rx


class LiveBridge(rx.Component):
    """Passes the signed-in person and the names of the states to the browser modules."""

    library = "$/public/live/app/bridge.js"
    tag = "LiveBridge"

    inbox_state: rx.Var[str]
    thread_state: rx.Var[str]
    phase: rx.Var[str]
    user_id: rx.Var[str]
    clinic: rx.Var[str]
    time_zone: rx.Var[str]
    locale: rx.Var[str]
    sound: rx.Var[bool]
    clinic_name: rx.Var[str]
    patient_name: rx.Var[str]
