"""The camera's own processes: they alone load GenICam's libraries."""
