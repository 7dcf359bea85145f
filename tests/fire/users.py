"""Two users who must not meet, in real browsers: `tests/browser/test_users.py`, as a script.

`python -m tests.fire.users [--count N]`: so many times, one after the other.
"""

from __future__ import annotations

import sys

from tests.fire.foreign import TESTS, told


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    tests = TESTS.with_name("test_users.py")
    return told(tests, "users", "pairs of users saw nothing of each other", arguments)


if __name__ == "__main__":
    sys.exit(main())
