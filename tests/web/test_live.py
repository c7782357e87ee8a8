"""What holds for every model: the page as a running server sends it. FATHOM_WEB_ADDRESS names the server."""

import os
import urllib.error
import urllib.request
import unittest

from page_case import PageCase, expect

ADDRESS = os.environ["FATHOM_WEB_ADDRESS"].rstrip("/")
POLICY_PARTS = ("default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'")


class Live(PageCase):
    wait_ms = 120000

    def get(self, path, **headers):
        return urllib.request.urlopen(urllib.request.Request(ADDRESS + path, headers=headers))

    def test_files_and_headers(self):
        for path, kind in (("/", "text/html"), ("/app.js", "text/javascript"), ("/vendor.js", "text/javascript"),
                           ("/app.css", "text/css"), ("/icon.svg", "image/svg+xml"),
                           ("/fonts/KaTeX_Main-Regular.woff2", "font/woff2"), ("/licenses.txt", "text/plain")):
            with self.get(path) as answer:
                self.assertTrue(answer.headers["Content-Type"].startswith(kind), path)
                self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff", path)
                for part in POLICY_PARTS:
                    self.assertIn(part, answer.headers["Content-Security-Policy"], path)
                self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"], path)
                etag = answer.headers["ETag"]
            with self.assertRaises(urllib.error.HTTPError) as unchanged:
                self.get(path, **{"If-None-Match": etag})
            self.assertEqual(unchanged.exception.code, 304, path)

    def test_conversation(self):
        page = self.open(ADDRESS)
        self.assert_accessible("empty")
        self.settings(max_tokens="48")
        self.send("What is 12 + 30?")
        self.assertEqual(page.get_by_role("alert").count(), 0, page.inner_text("#message-list"))
        self.assertIn("tokens/s", self.answer().locator(".stats").inner_text())
        self.assertIn("tokens", page.inner_text("#context-use"))
        self.assert_accessible("answered")
        experts = self.answer().get_by_role("button", name="Experts")
        if experts.count():
            experts.click()
            tokens = int(page.locator("dialog input[type=range]").get_attribute("max"))
            self.assertGreater(tokens, 0)
            self.assertLessEqual(tokens, 48)
            self.assert_accessible("experts")
            page.keyboard.press("Escape")
        page.get_by_role("button", name="Answer again").click()
        self.wait_for_answer()
        self.assertIn("2 of 2", self.answer().inner_text())

    def test_stop(self):
        page = self.open(ADDRESS, size="phone")
        self.send("Count from one to a thousand, in words.", wait=False)
        expect(self.answer().locator(".waiting")).to_be_hidden(timeout=self.wait_ms)
        if page.locator("#stop-button").is_visible():
            page.click("#stop-button")
        self.wait_for_answer()
        self.assert_fits("stopped")


if __name__ == "__main__":
    unittest.main()
