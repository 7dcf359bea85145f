"""`python -m editor.cli`: the command line from a checkout that is not installed."""

import sys

from editor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
