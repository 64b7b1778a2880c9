"""The cell: states, the way of one part, the scan and its judgement, and what the line PLC asks and is told."""
