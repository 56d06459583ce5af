"""Turns media and conversations into tensors, token ids and spans, and answers into text and boxes."""
