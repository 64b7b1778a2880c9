"""The station as an OPC UA server: its own nodes, and the companion specifications where their node sets are given."""
