"""The ring of what a run records: its record, kept queries and keys, exact rows of attention, and its file."""
