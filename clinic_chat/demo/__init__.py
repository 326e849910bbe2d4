"""Two clinics with people and conversations, to look at and to try things on."""

from clinic_chat.demo.fill import fill_demo
from clinic_chat.demo.people import DEMO_PASSWORD, STAFF

__all__ = ["DEMO_PASSWORD", "STAFF", "fill_demo"]
