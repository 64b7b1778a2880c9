"""`station model …`: train, and compare networks."""
