"""Labels in and out as the trade's programs write them.

A module a format, each with what reads and what writes it; `registry` lists them. Files from elsewhere are read within
limits and refused with their place, and nothing of them is taken before all of it was checked.
"""
