"""The text of the programs, in which the names of the declarations stand."""
