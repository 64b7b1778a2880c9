"""What the cell needs from the outside, as protocols; drivers, models and records implement them.

A contract suite per port runs on every implementation. Every wait has a deadline of the implementation's own,
taken from the settings; when it passes, the error says so. No call is repeated by an implementation if repeating
it could move something.
"""
