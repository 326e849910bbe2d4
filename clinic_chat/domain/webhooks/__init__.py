"""Webhooks: a clinic's events, sent to addresses that its administrators chose."""
