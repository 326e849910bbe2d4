"""The clinic's data as programs get it: over HTTP, over sockets and in webhooks."""
