"""Entry: open the editor. `python app.py` takes the options of `inlay serve`."""

import sys

from editor.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
