"""The command line: inlay serve, generate, inpaint, extend, replay, analyze, bundle, user, models, study.

Stable for other tools: with --json exactly one object on stdout, progress and notices on stderr.
Exit status: 0 done, 2 unusable input (one line on stderr: what, why, what would do), 130 interrupted,
1 a defect of Inlay itself. Times are seconds on the clip's own clock. An input file is never written
to; an output file appears whole or not at all. Torch is loaded only by the commands that need it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from editor.cli.arguments import build_parser
from editor.cli.progress import say
from editor.runs.runner import failure_words
from engines.errors import InputError

DONE, DEFECT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (None = the process's own) and give its exit status."""
    try:
        arguments = build_parser().parse_args(argv)
        # what libraries print must not get between the caller and the one object on stdout
        stdout = sys.stdout
        with redirect_stdout(sys.stderr):
            answer: str | None = arguments.command(arguments)
        if answer is not None:  # a file's name may be no text
            print(answer.encode(errors="backslashreplace").decode(), file=stdout, flush=True)
    except InputError as error:
        say(str(error))
        return UNUSABLE
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # nobody reads any more: keep the interpreter's exit quiet
        return DONE
    except Exception as error:
        if os.environ.get("INLAY_DEBUG"):
            raise
        say(f"{failure_words(error)} (INLAY_DEBUG=1 shows where)")
        return DEFECT
    return DONE


if __name__ == "__main__":
    sys.exit(main())
