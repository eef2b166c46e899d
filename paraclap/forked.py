"""Kernels that need not import what all chapters import: forked from a process that has.

Importing torch and transformers takes seconds, and every chapter has a kernel of its own. Here one
process, made when the first kernel is wanted, imports them (:mod:`paraclap._preloaded`), and each
kernel is forked from it: as alone as a kernel that is started anew, and sooner there. Only on
Linux without a GPU of Nvidia, whose driver does not survive a fork; elsewhere kernels are started
anew.

Jupyter calls what starts its kernels a provisioner; a kernel specification names it.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

NAME = "paraclap-forked"


def possible() -> bool:
    """Whether kernels can be forked on this machine."""
    return sys.platform == "linux" and not Path("/dev/nvidiactl").exists()


def provisioner() -> dict[str, Any]:
    """What the metadata of a kernel specification says, so that its kernels are forked."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["paraclap._preloaded"])
    with _nameless():
        forkserver.ensure_running()  # now, with the environment of this process and not of a kernel
    known = KernelProvisionerFactory.instance().provisioners
    known[NAME] = EntryPoint(NAME, f"{__name__}:Forking", KernelProvisionerFactory.GROUP_NAME)
    return {"kernel_provisioner": {"provisioner_name": NAME}}


@contextlib.contextmanager
def _nameless() -> Iterator[None]:
    """Keep forked processes from importing the program that runs: they need nothing of it."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


class Forked:
    """A forked kernel, with what Jupyter uses of :class:`subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
        """Fork a kernel.

        Args:
            argv: Interpreter, ``-m``, module, and what the kernel is told.
            env: All its environment variables.
            cwd: Its working folder.
        """
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=_serve, args=(list(argv), dict(env), cwd))
        with _nameless():
            self._process.start()
        self.pid = int(self._process.pid or 0)
        atexit.register(self._at_the_end)

    def _at_the_end(self) -> None:
        if self.poll() is None:
            self.kill()

    def poll(self) -> int | None:
        """Exit status, None while it runs."""
        return self._process.exitcode

    def wait(self) -> int | None:
        """Exit status, as soon as there is one."""
        self._process.join()
        atexit.unregister(self._at_the_end)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it is there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class Forking(LocalProvisioner):
    """Starts a kernel by forking it."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel; returns how to connect to it."""
        cwd = kwargs.get("cwd")
        kernel = Forked(cmd, kwargs["env"], str(cwd) if cwd else None)
        vars(self).update(process=kernel, pid=kernel.pid, pgid=kernel.pid)
        return self.connection_info


def _serve(argv: list[str], env: dict[str, str], cwd: str | None) -> None:
    """In the forked process: be the kernel, until it is shut down."""
    from ipykernel.kernelapp import IPKernelApp

    from paraclap.ending import Kernel

    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    # Our modules are read as they are now, not as they were when the first kernel was wanted.
    for name in [name for name in sys.modules if name.partition(".")[0] == "paraclap"]:
        del sys.modules[name]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if cwd:
        os.chdir(cwd)
    sys.argv = argv[2:]
    try:
        IPKernelApp.launch_instance(argv[3:], kernel_class=Kernel)
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out


def _end_with_parent() -> None:
    """End when the process ends that wanted the kernel."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
