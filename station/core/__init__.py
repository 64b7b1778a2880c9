"""What every part of the station shares: types that flow, ports, errors, settings, clock and logs."""
