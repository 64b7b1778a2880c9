"""`station model …`: export a network, guard the way into the station, and choose the bundle."""
