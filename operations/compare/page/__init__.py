"""What the comparison shows: a page, its chart, and the same tables in the terminal."""
