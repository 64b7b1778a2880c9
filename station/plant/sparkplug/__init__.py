"""The station as an edge node of Sparkplug B, version 3, at an MQTT broker."""
