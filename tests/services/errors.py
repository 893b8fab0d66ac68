"""What is said, in one line, when a service cannot be had."""


class MissingServiceError(Exception):
    """A service is missing, or does not start; the message says what to do."""
