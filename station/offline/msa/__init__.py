"""A measurement system analysis of the station: attribute agreement of its trials with each other, a reference, people.

trials (records) ┐
reference,       ├─▶ Sheet: who said what of which part ─▶ figures ─▶ HTML and JSON
people (CSV)     ┘
"""
