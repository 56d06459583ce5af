"""The lowest ring of the app: what is asked and what was answered, before any model, view or page."""
