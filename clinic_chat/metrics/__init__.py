"""What this process counts and measures, for Prometheus (docs/operations.md, "Metrics").

Everything is named by fixed words: nothing by clinic, person, patient, address or path.
"""
