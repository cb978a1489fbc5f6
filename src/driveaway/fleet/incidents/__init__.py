"""Incidents of cars: what driving functions did before them, duties to report, what is due, legal holds."""
