"""What the page's test suites share: the browser, a page that may not break its policy, and the accessibility check."""

import os
import unittest

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844},
         "narrow": {"width": 320, "height": 568}}


class PageCase(unittest.TestCase):
    """One browser for the class, one fresh profile for each test. Console errors fail the test that made them."""

    wait_ms = 10000

    @classmethod
    def setUpClass(cls):
        cls.playwright = sync_playwright().start()
        cls.addClassCleanup(cls.playwright.stop)
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        cls.browser = cls.playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        cls.addClassCleanup(cls.browser.close)

    def open(self, address, size="desktop", scheme="light", ready=True):
        self.context = self.browser.new_context(
            viewport=SIZES[size], color_scheme=scheme, has_touch=size == "phone", accept_downloads=True)
        self.addCleanup(self.context.close)
        self.context.set_default_timeout(self.wait_ms)
        self.page = page = self.context.new_page()
        self.problems, self.outside = [], []
        # A refused request is also an "error" of the console; tests that want one look at what the page shows.
        page.on("console", lambda message: message.type == "error" and "Failed to load resource" not in message.text
                and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: not request.url.startswith((address, "blob:" + address))
                and self.outside.append(request.url))
        page.goto(address + "/")
        if ready:
            expect(page.locator("#send-button")).to_be_enabled(timeout=self.wait_ms)
        return page

    def doCleanups(self):
        if hasattr(self, "page"):
            problems, outside = self.problems, self.outside
            self.addCleanup(lambda: self.assertEqual((problems, outside), ([], [])))
        return super().doCleanups()

    def send(self, text, wait=True):
        self.page.fill("#input", text)
        self.page.click("#send-button")
        if wait:
            self.wait_for_answer()

    def wait_for_answer(self):
        expect(self.page.locator("#stop-button")).to_be_hidden(timeout=self.wait_ms)

    def answer(self):
        return self.page.locator(".message.answer").last

    def settings(self, **values):
        self.page.click("#settings-button")
        for name, value in values.items():
            field = self.page.locator(f"dialog [name={name}]")
            if name in ("format", "tool_choice"):
                field.select_option(value)
            else:
                field.fill(value)
        self.page.click("dialog .dialog-foot .primary")

    def assert_accessible(self, state):
        result = Axe().run(self.page).response
        found = result["violations"]
        self.assertGreater(len(result["passes"]), 15, "axe did not look at the page")
        told = [f"{one['id']}: {one['help']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
        self.assertEqual(told, [], f"axe in state: {state}")

    def assert_fits(self, state):
        wide = self.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        self.assertLessEqual(wide, 0, f"the page scrolls sideways in state: {state}")
