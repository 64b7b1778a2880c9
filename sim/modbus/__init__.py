"""Modbus as the simulated devices speak it: a slave's side over TCP and RTU, and a master over TCP.

Written from the specification and independent of the library that the station's drivers use, so that one mistake
cannot sit on both ends of the wire.
Source: MODBUS Application Protocol V1.1b3; MODBUS over Serial Line V1.02; MODBUS Messaging on TCP/IP V1.0b.
"""
