"""Modbus and the register maps: connections, requests, words, orders, and the server."""
