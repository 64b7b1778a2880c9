"""The report of a measurement: its page, charts, pictures and wording."""
