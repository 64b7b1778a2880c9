"""What the station is to the plant above its line PLC: processes of their own, which the cell never waits for."""
