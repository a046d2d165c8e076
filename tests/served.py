"""Starts the real studio as a process of its own, and ends it: for tests over HTTP, in a browser, and under load."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from patience import PATIENCE

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """The studio at a free port of this machine.

    Args:
        home: its STUDIO_HOME; its log is there.
        lesson: as a classroom server (`python app.py --class`), else as `streamlit run app.py` serves it.
        options: further words of that command.
        env: further environment.
    """

    def __init__(self, home: Path, lesson: bool = False, options: tuple[str, ...] = (), **env: str) -> None:
        self.home, self.port, self.log = home, free_port(), home / "server.log"
        self.address = f"http://127.0.0.1:{self.port}"
        if lesson:
            self.command = [sys.executable, "app.py", "--class", "--port", str(self.port), "--address", "127.0.0.1"]
            self.command += ["--headless", *options]
        else:
            self.command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
            self.command += ["--server.address", "127.0.0.1", "--server.headless", "true", *options]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
        self.env = inherited | {"STUDIO_HOME": str(home)} | env
        self.process: subprocess.Popen | None = None

    def start(self) -> Served:
        """Starts it and waits until it answers."""
        with self.log.open("a") as out:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.env, stdout=out, stderr=out)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said
            try:
                urlopen(f"{self.address}/_stcore/health", timeout=1).close()
                return self
            except OSError:
                time.sleep(0.25)
        self.stop()
        raise AssertionError(f"The studio did not start.\n{self.said}")

    def kill(self) -> None:
        """As `kill -9` does: nothing is said, nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")
