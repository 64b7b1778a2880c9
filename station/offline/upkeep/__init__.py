"""What an installation needs beside the cell: backups, the bill of materials, and the pages that are generated."""
