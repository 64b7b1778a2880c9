"""The line PLC, as the station's client or as its server."""
