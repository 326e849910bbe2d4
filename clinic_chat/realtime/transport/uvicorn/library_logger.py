"""The logger of the transport libraries, for errors only: they quote URLs and malformed input."""

import logging

TRANSPORT_LOG = logging.getLogger("clinic_chat.transport")
TRANSPORT_LOG.setLevel(logging.ERROR)
