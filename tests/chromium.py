"""Finds a Chromium for the browser tests, or gets one: the system's, else Playwright's own, else Debian's package.

`make test` calls this before the tests. It never lets them be skipped: with no browser to be had it ends with a
sentence that says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Quiet on a closed network, and usable as root in a container.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
SENTENCE = (
    "No browser for the browser tests: install Chromium or Chrome (Debian: apt-get install chromium; anywhere: "
    "python -m playwright install chromium), or name one in the variable CHROMIUM."
)


def installed() -> str | None:
    """The path of a Chromium that is there already: $CHROMIUM, the system's, Playwright's."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else shutil.which(named)
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for place in PLACES:
        if Path(place).exists():
            return place
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if own and Path(own).exists() else None


def _tries() -> list[list[str]]:
    tries = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        tries += [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium", "fonts-noto-cjk"]]
    return tries


def ensure() -> str:
    """As `installed`; gets one if there is none.

    Raises:
        SystemExit: none can be had; says what to do.
    """
    for attempt in [None, *_tries()]:
        if attempt is not None:
            try:
                subprocess.run(
                    attempt, check=False, timeout=600, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                print(f"{attempt[0]}: {error}", file=sys.stderr)
        if found := installed():
            return found
    raise SystemExit(SENTENCE)


if __name__ == "__main__":
    print(ensure())
