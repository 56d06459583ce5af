"""The ring of models: which may be asked, which are in memory, and how fast they are."""
