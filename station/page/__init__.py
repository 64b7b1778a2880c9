"""The operator page: a process of its own beside the station, which reads the records and listens to the cell."""
