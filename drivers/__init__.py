"""What speaks to hardware: the camera through GenICam, robot, jig and line PLC through Modbus."""
