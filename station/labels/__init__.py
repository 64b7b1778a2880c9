"""What people say that parts really are: facts that are only added, in a database of their own.

Nothing of it runs in a cell. The records of what was decided are read through their port and never written; the labels
lie beside them in the data folder, `labels.db`.
"""
