"""The kernel that executes a chapter: this interpreter, over local sockets, apart from the user."""

import os
import signal
import sys
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default

KERNEL_NAME = "python3"


class OwnKernelSpecManager(KernelSpecManager):
    """Knows one kernel, the running interpreter, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class OwnKernelManager(AsyncKernelManager):
    """Starts that kernel over Unix sockets (ipykernel warns of open TCP ports) and remembers it."""

    started: ClassVar[list[AsyncKernelManager]] = []

    @default("kernel_spec_manager")
    def _own_specs(self) -> KernelSpecManager:
        return OwnKernelSpecManager(parent=self)

    @default("transport")
    def _own_transport(self) -> str:
        return "ipc"

    @default("connection_file")
    def _short_connection_file(self) -> str:
        # A Unix socket's path is limited to about 100 characters, the default name has 50.
        return str(Path(jupyter_runtime_dir()) / "k.json")

    async def _async_post_start_kernel(self, **kwargs: Any) -> None:
        self.started.append(self)
        await super()._async_post_start_kernel(**kwargs)


def kill_kernels() -> None:
    """Kill every kernel that was started here, with the processes that it started itself."""
    for manager in OwnKernelManager.started:
        pid = getattr(manager.provisioner, "pid", None)
        if pid:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def kernel_environment(project_root: Path, scratch: Path) -> dict[str, str]:
    """What a chapter's process and its kernel add to the environment.

    One thread (chapters run side by side), fixed hashing, no progress bars (their timings would
    differ from run to run), the project's own package first, and none of the user's Jupyter or
    IPython settings. Everything else stays as it is; ``LTR_DATA_DIR`` is made absolute, as a
    kernel has another working directory.
    """
    folder = os.environ.get("LTR_DATA_DIR")
    data = {"LTR_DATA_DIR": str(Path(folder).resolve())} if folder else {}
    return data | {
        "LTR_BOOK": "1",
        "LTR_CHECKPOINTS": str(project_root / "_build" / "checkpoints"),
        "LTR_RESULTS": str(project_root / "results"),
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",
        "PYTHONPATH": str(project_root),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_RUNTIME_DIR": str(scratch),
    }
