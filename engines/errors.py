"""What stops a run: input that cannot be used, and a musician's Cancel. Imports nothing."""


class InputError(ValueError):
    """Input that cannot be used. The message says what, why and what would do, in one line."""


class Cancelled(Exception):
    """Raised by a progress hook to stop a run; every engine lets it through at the next step."""
