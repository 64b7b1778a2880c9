"""The simulated devices: robot, jig and line PLC as the station sees them, at their registers."""
