"""Runs a command and measures it: wall time, processor time, and the peak memory of its whole process tree."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

PAGE = os.sysconf("SC_PAGE_SIZE")


class Failed(SystemExit):
    """The command ended with another exit code than 0."""


@dataclass
class Run:
    """One run. Seconds and bytes."""

    wall: float
    user: float
    system: float
    peak: int
    stdout: str


def run(command, env=None, cwd=None):
    """Runs `command`; its standard error is shown only when it fails.

    The peak is the larger of two figures: the largest process of the tree, which the kernel keeps exactly, and the sum over
    the tree, sampled every 10 ms. Pages that processes share count once for each.
    """
    environment = {**os.environ, **(env or {})}
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    sampler = TreeSampler(process.pid)
    sampler.start()
    # wait4 must be the one to reap the process, so the pipes are drained elsewhere.
    texts = {}
    drains = [
        threading.Thread(target=lambda name, pipe: texts.__setitem__(name, pipe.read()), args=(name, pipe))
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr))
    ]
    for drain in drains:
        drain.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    sampler.stop()
    for drain in drains:
        drain.join()
    if process.returncode != 0:
        print(texts["stderr"], file=sys.stderr)
        raise Failed(f"exit code {process.returncode}: {' '.join(map(str, command))}")
    peak = max(sampler.peak, usage.ru_maxrss * 1024)
    return Run(wall, usage.ru_utime, usage.ru_stime, peak, texts["stdout"])


class TreeSampler(threading.Thread):
    """Sums the resident memory of a process and its descendants until told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.01):
            self.peak = max(self.peak, sum(resident(pid) for pid in tree(self.pid)))

    def stop(self):
        self.stopped.set()
        self.join()


def tree(pid):
    """`pid` and its descendants."""
    yield pid
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                children = file.read().split()
            for child in children:
                yield from tree(int(child))
    except OSError:
        return


def resident(pid):
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * PAGE
    except OSError:
        return 0
