"""The pure core: plain Python over frozen values, without I/O, clock or library."""
