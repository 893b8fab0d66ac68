"""The commands, a module each with its `command`."""
