"""A shift: how many parts and what became of them, why the cell stood, and how good that was.

calendar ─▶ which time ─▶ records ─▶ account  the time by states, and every stop
                                └──▶ figures  parts, OEE, what people found ─▶ charts ─▶ screen, print, CSV
"""
