"""The simulated inspection cell: everything outside the station, down to the wire."""
