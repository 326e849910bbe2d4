"""The demo's staff, and patients who have not written before."""

import itertools
from dataclasses import dataclass

ANA = "ana@aurora.example"
BRUNO = "bruno@aurora.example"
RENATA = "renata@aurora.example"
CARLA = "carla@boreal.example"
DANIEL = "daniel@boreal.example"
"""Works in both clinics."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Patient:
    """Who writes to the clinic."""

    name: str
    phone: str


def new_patient() -> Patient:
    """Someone whose name no other test uses."""
    number = next(_numbers)
    return Patient(f"Pessoa Nova {number:03}", f"+55219{number:08}")
