"""The highest ring: the command line, `python -m qwenvl`, one file per subcommand."""
