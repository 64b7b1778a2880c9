"""Parts that try the station, and are no production: golden parts, and those of a study."""

TRIED = {"part.golden": "golden", "part.study": "study"}
"""What they are, by the fault with which they are judged, whatever comes of them later."""
