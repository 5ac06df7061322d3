"""Entry point of ``python book/_pipeline``: puts the book's folder and the project on the path."""

import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parent.parent
# Python has put this very folder first: its modules must not be importable without their package.
sys.path[0] = str(BOOK)
sys.path.insert(1, str(BOOK.parent))

from _pipeline.cli import main

sys.exit(main())
