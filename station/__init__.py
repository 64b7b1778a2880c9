"""The inspection station: one part's journey from the infeed to its bin."""
