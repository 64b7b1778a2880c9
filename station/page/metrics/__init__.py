"""The station's figures as Prometheus asks for them."""
