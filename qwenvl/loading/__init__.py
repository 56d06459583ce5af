"""The ring of loading: finds a checkpoint, places its weights on devices, and gives a `Pipeline`."""
