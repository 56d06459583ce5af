"""What tests of commands in processes of their own share."""

HANGING = 300  # seconds after which a command has hung, on the busiest machine
