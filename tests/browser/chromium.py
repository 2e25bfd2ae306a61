"""A Chromium for the browser tests: the system's, Playwright's own, or else one that is installed now. The one without
windows, which Playwright prefers too, takes an eighth less of the processor.

`python -m tests.browser.chromium` sees to it that there is one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SHELL = "chromium-headless-shell"


def launch(playwright: Playwright, *more: str) -> Browser:
    """Playwright's own browser if it was downloaded, otherwise the system's, with `more` options."""
    own = Path(playwright.chromium.executable_path)
    path = None if own.exists() else _system()
    return playwright.chromium.launch(executable_path=path, headless=True, args=[*FLAGS, *more])


def _system() -> str | None:
    chosen = os.environ.get("CHROMIUM")
    names = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return chosen or next(filter(None, map(shutil.which, names)), None)


def _found() -> bool:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists() or _system() is not None


def main() -> None:
    """Install a Chromium if there is none: Playwright's, or Debian's if that cannot be downloaded."""
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        commands.append([*sudo, "apt-get", "update", "-qq"])
        install = [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        commands += [[*install, SHELL], [*install, "chromium"]]  # Ubuntu has no shell.
    for command in commands:
        if _found():
            return
        subprocess.run(command, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if not _found():
        sys.exit("The browser tests need Chromium: install it, or run make test ARGS=\"-m 'not browser'\".")


if __name__ == "__main__":
    main()
