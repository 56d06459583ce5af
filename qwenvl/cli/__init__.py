"""The highest ring: the command line, `qwenvl`, one file per subcommand."""
