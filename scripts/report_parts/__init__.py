"""The parts of the report on the shipped models, see scripts/report.py."""
