"""The ring of costs: tokens, memory and time of a question before it is asked."""
