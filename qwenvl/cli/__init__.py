"""The command line, `python -m qwenvl`: `main` reads it, and one file per subcommand, or per pair of them, acts."""
