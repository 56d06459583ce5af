"""The ring of analyses: one file per question that is asked of a run, on the kernel in `qwenvl.recorded.rows`."""
