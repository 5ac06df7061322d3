"""One build: execute what has changed, side by side, then make and publish the site."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .chapters import Chapter, discover, fingerprint, select
from .progress import Progress
from .project import BuildError, Project, Settings, build_lock, refusals_told, want_of_space
from .publish import build_site, restore
from .results import keep_results
from .stage import fill_stage

# What a chapter may take at scale book, which is what Binder gives; more is told, but no error.
BUDGET_S, BUDGET_MB = 300, 1500

_PIPELINE = Path(__file__).parent


@dataclass
class Running:
    """A chapter's process."""

    chapter: Chapter
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End the process, and with it the kernel, by closing its standard input."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def build(project: Project, settings: Settings) -> None:
    """Execute every chapter and publish the site.

    Raises
    ------
    BuildError
        If a chapter, the ledger or the site fails; the last good site is left as it was.
    """
    with refusals_told(project), build_lock(project):
        restore(project)
        chapters = discover(project)
        _execute_changed(chapters, project, settings)
        fill_stage(chapters, project, settings)
        build_site(project)


def execute(
    project: Project, settings: Settings, names: Iterable[str], published: bool = False
) -> None:
    """Execute these chapters (all, if none is named) without making the site.

    With ``published``, only those that compare their values with published ones.
    """
    chapters = select(discover(project), names)
    if published:
        chapters = [chapter for chapter in chapters if chapter.states_published_values]
        if not chapters:
            raise BuildError("none of the chapters states published values")
    with refusals_told(project), build_lock(project):
        _execute_changed(chapters, project, settings)


def is_current(chapter: Chapter, project: Project, settings: Settings) -> bool:
    """Whether the chapter was executed with all that it depends on as it is now."""
    target = project.executed(settings) / chapter.name
    try:
        stamp = json.loads(target.with_suffix(".json").read_text(encoding="utf-8"))
        made_from, content = stamp["fingerprint"], stamp["notebook"]
        whole = hashlib.sha256(target.with_suffix(".ipynb").read_bytes()).hexdigest() == content
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # lost or damaged
        return False
    return whole and made_from == fingerprint(chapter, project, settings)


def _execute_changed(chapters: list[Chapter], project: Project, settings: Settings) -> None:
    """Execute the chapters that are not current, ``settings.jobs`` at a time."""
    progress = Progress([chapter.name for chapter in chapters])
    waiting: deque[Chapter] = deque()
    failures: list[str] = []
    for chapter in chapters:
        if is_current(chapter, project, settings):
            progress.unchanged(chapter.name)
            failures += _keep_results(chapter.name, project, settings)
        else:
            waiting.append(chapter)
    running: list[Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < settings.jobs:
                running.append(_start(waiting.popleft(), project, settings))
                progress.started(running[-1].chapter.name)
            time.sleep(0.05)
            for run in [run for run in running if run.process.poll() is not None]:
                running.remove(run)
                failures += _finish(run, project, settings, progress)
            progress.tick()
    finally:
        progress.close()
        for run in running:
            run.stop()
    if failures:
        raise BuildError(
            f"{len(failures)} of {len(chapters)} chapters failed; the site was left as it was\n\n"
            + "\n\n".join(failures)
        )


def _start(chapter: Chapter, project: Project, settings: Settings) -> Running:
    """Start a chapter's process, in a session of its own: Ctrl-C is for the build to handle."""
    command = [sys.executable, str(_PIPELINE), "chapter", chapter.name]
    command += ["--root", str(project.root), "--scale", settings.scale]
    command += ["--seed", str(settings.seed), "--cell-timeout", str(settings.timeout)]
    with (
        (project.work / f"{chapter.name}.out").open("w", encoding="utf-8") as out,
        (project.work / f"{chapter.name}.log").open("w", encoding="utf-8") as log,
    ):
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONUTF8": "1"},
            start_new_session=True,
        )
    return Running(chapter, process)


def _finish(run: Running, project: Project, settings: Settings, progress: Progress) -> list[str]:
    """Report an ended chapter: no failure, or the message of one."""
    run.stop()
    name = run.chapter.name
    if run.process.returncode == 0:
        progress.done(name, _note(project.executed(settings) / f"{name}.json", settings))
        return _keep_results(name, project, settings)
    progress.failed(name)
    message = (project.work / f"{name}.out").read_text(encoding="utf-8").strip()
    if run.process.returncode != 1 or not message:
        log = (project.work / f"{name}.log").read_text(encoding="utf-8").strip()
        message = f"{_ending(run.process.returncode)}\n{log[-2000:]}".strip()
    message = want_of_space(project.build) + message
    kept = project.failed / f"{name}.ipynb"
    if kept.exists():
        message += f"\n    The notebook as far as it got: {project.shown(kept)}"
    return [f"FAILED {name}: {message}"]


def _ending(status: int) -> str:
    """How a chapter's process ended that left no message."""
    if status == -signal.SIGKILL:
        return "the process was killed from outside (for want of memory, as a rule)"
    return f"the process ended with status {status}"


def _keep_results(name: str, project: Project, settings: Settings) -> list[str]:
    """Keep what a chapter found at the published size: no failure, or the message of one."""
    try:
        kept = keep_results(name, project, settings)
    except BuildError as fault:
        return [f"FAILED {fault}"]
    if kept:
        print(f"  {project.shown(kept)}: brought up to date", flush=True)
    return []


def _note(stamp: Path, settings: Settings) -> str:
    """Peak memory of an executed chapter, and whether it keeps to the budget of scale book."""
    record = json.loads(stamp.read_text(encoding="utf-8"))
    note = f"{record['peak_memory_mb']} MB"
    over = record["elapsed_s"] > BUDGET_S or record["peak_memory_mb"] > BUDGET_MB
    if settings.scale == "book" and over:
        note += f"  OVER the budget of {BUDGET_S} s and {BUDGET_MB} MB"
    return note
