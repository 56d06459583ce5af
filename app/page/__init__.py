"""The highest ring of the app: the page in Gradio, and what its events do."""
