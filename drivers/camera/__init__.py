"""The GenICam camera as the station sees it; its own processes, which load GenICam's libraries, are in `process`."""
