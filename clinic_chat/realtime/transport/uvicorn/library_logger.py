"""The logger of the libraries below the sockets, which quote addresses and what was malformed."""

import logging

TRANSPORT_LOG = logging.getLogger("clinic_chat.transport")
TRANSPORT_LOG.setLevel(logging.ERROR)
