"""The other side of the wire: programs for line PLC and robot, made from the register maps, and what goes with them."""
