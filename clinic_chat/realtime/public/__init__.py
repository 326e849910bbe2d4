"""Socket.IO namespaces for programs: `/clinic/<slug>`, with the specification's events."""
