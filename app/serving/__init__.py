"""The ring of serving: the session behind the page, its examples and saved runs, and the HTTP endpoints."""
