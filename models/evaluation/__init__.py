"""Measuring a network: what it finds, what it misses, how sure one may be of that, and how it fails.

scorers ─▶ parts ─▶ metrics · rates · calibration · pod ─▶ report (HTML and JSON)
"""
