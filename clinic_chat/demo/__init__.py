"""Demo data: two clinics with staff, patients and conversations."""

from clinic_chat.demo.fill import fill_demo
from clinic_chat.demo.people import DEMO_PASSWORD, STAFF

__all__ = ["DEMO_PASSWORD", "STAFF", "fill_demo"]
