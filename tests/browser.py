"""A real browser: Debian's chromium, driven by playwright.

`page` is what most tests want: a fresh session, Catalan, at 1440 pixels, that fails the test when a script of the
page failed or the content security policy refused something.
"""

import os
import shutil

import pytest

VIEWPORTS = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 360, "height": 740}}
#: How long a page may take on a busy machine; nothing waits longer than it must.
PATIENCE_MS = 30_000
FLAGS = [
    "--no-sandbox",  # chromium refuses to run as root with it, and CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The network is closed in the browser too.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


def executable() -> str | None:
    """Where chromium is; None when it is not installed."""
    return shutil.which("chromium")


def missing() -> str:
    """Name what this machine lacks; empty when nothing."""
    return "" if executable() else "not installed: chromium"


@pytest.fixture(scope="session")
def browser():
    """One chromium for the whole run."""
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - a run without browser tests does not load it

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, where Django would refuse the ORM from then on.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE_MS)
        chromium = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser):
    """Make pages: new_page("narrow") opens one in a session of its own; all are checked for faults at the end."""
    contexts, faults = [], []

    def make(width: str = "wide", **options):
        context = browser.new_context(**{"viewport": VIEWPORTS[width], "locale": "ca-ES"} | options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("console", lambda message: _note(faults, page, message))
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(new_page):
    """One page at 1440 pixels."""
    return new_page()


def _note(faults, page, message):
    if message.type == "error" and "Content Security Policy" in message.text:
        faults.append(f"{page.url}: {message.text}")
