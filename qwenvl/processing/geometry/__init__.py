"""Sizes, grids and coordinates: which pixels a model sees, and where each patch and token lies."""
