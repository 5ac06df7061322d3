"""One line for each change of a chapter's state, and a sign of life in between."""

import sys
import time


class Progress:
    """Prints the chapters' states: name, state, elapsed seconds.

    On a terminal a last line, rewritten each second, tells what is running; elsewhere such a line
    comes every half minute.
    """

    def __init__(self, names: list[str]) -> None:
        self._width = max(len(name) for name in names)
        self._begun: dict[str, float] = {}
        self._live = sys.stdout.isatty()
        self._next = time.monotonic() + self._interval

    @property
    def _interval(self) -> float:
        return 1.0 if self._live else 30.0

    def started(self, name: str) -> None:
        self._begun[name] = time.monotonic()
        self._print(name, "started")

    def unchanged(self, name: str) -> None:
        self._print(name, "unchanged")

    def done(self, name: str, note: str = "") -> None:
        self._print(name, "done", time.monotonic() - self._begun.pop(name), note)

    def failed(self, name: str) -> None:
        self._print(name, "FAILED", time.monotonic() - self._begun.pop(name))

    def tick(self) -> None:
        """Show what is running, if it is time to."""
        now = time.monotonic()
        if not self._begun or now < self._next:
            return
        self._next = now + self._interval
        states = " · ".join(f"{name} {now - at:.0f} s" for name, at in self._begun.items())
        if self._live:
            print(f"\r\x1b[K  running: {states}", end="", flush=True)
        else:
            print(f"  running: {states}", flush=True)

    def close(self) -> None:
        """Leave the terminal on a clean line."""
        if self._live:
            print("\r\x1b[K", end="", flush=True)

    def _print(self, name: str, state: str, elapsed: float | None = None, note: str = "") -> None:
        clear = "\r\x1b[K" if self._live else ""
        time_taken = f"{elapsed:8.1f} s" if elapsed is not None else ""
        print(
            f"{clear}  {name:<{self._width}}  {state:<9}{time_taken}  {note}".rstrip(), flush=True
        )
