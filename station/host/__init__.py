"""The process around the cell: it puts the parts together, serves, simulates, watches and ends."""
