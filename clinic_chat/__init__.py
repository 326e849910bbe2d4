"""Clinic Chat: a real-time shared inbox for clinics."""

__version__ = "0.1.0"
