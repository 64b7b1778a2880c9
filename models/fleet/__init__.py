"""Networks for many cells: signed where they are made, pulled by each cell from a folder, watched before they judge."""
