"""Entry point of ``python book/_pipeline``: puts the book's folder and the project on the path."""

import os
import sys
from pathlib import Path

# Where the locale is not of UTF-8, names of files and messages still are: begin again in that mode.
if sys.getfilesystemencoding() != "utf-8":
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.argv])

BOOK = Path(__file__).resolve().parent.parent
# Python has put this very folder first: its modules must not be importable without their package.
sys.path[0] = str(BOOK)
sys.path.insert(1, str(BOOK.parent))

from _pipeline.cli import main

sys.exit(main())
