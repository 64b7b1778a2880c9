"""`station model …`: measure a network."""
