"""A foreign page in a real browser, which must get nothing: `tests/browser/test_doors.py`, as a script.

`python -m tests.fire.foreign [--count N]`: so many times, one after the other.
"""

from __future__ import annotations

import argparse
import io
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1] / "browser" / "test_doors.py"


class _Counted:
    """Counts how the tests ended."""

    def __init__(self) -> None:
        self.passed = 0
        self.broken: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest after each part of a test."""
        if report.failed:
            self.broken.append(f"{report.nodeid}: {str(report.longrepr).splitlines()[-1][:300]}")
        elif report.when == "call":
            self.passed += report.passed


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return told(TESTS, "foreign", "tries of foreign pages got nothing", arguments)


def told(tests: Path, name: str, words: str, arguments: list[str] | None) -> int:
    """Run browser tests as often as `arguments` say, and say in a line how it went; the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.fire.{name}")
    parser.add_argument("--count", type=int, default=1)
    asked: Any = parser.parse_args(arguments)
    counted, codes = _Counted(), []
    for _ in range(asked.count):
        with redirect_stdout(io.StringIO()):
            wanted = [str(tests), "-m", "browser", "-n", "0", "-p", "no:cacheprovider"]
            codes.append(pytest.main(wanted, plugins=[counted]))
    for line in counted.broken:
        print(line)
    print(f"{name}: {counted.passed} {words}, {len(counted.broken)} broken")
    return 1 if any(codes) or counted.broken else 0


if __name__ == "__main__":
    sys.exit(main())
