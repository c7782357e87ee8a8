"""Conversations: stop, edit, retry, keep, rename, delete, export, import; errors; keyboard; accessibility."""

import json
import os
import unittest

import fake_server
from page_case import PageCase, expect

TOOLS = '[{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]'


class FakeServerCase(PageCase):
    def start(self, **options):
        self.server = fake_server.Server(os.environ["FATHOM_WEB_BUNDLE"], **options).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        return self.server.address


class Conversations(FakeServerCase):
    def setUp(self):
        self.open(self.start())

    def messages(self):
        return [message["content"] for message in self.server.requests[-1]["messages"]]

    def test_stop_keeps_what_came(self):
        self.send("slow please", wait=False)
        expect(self.answer().locator(".prose").last).to_contain_text("word word")
        self.page.keyboard.press("Escape")
        self.wait_for_answer()
        self.assertIn("Stopped.", self.answer().inner_text())
        expect(self.page.locator("#send-button")).to_be_enabled()
        self.send("plain please")
        self.assertEqual(self.messages()[0], "slow please")
        self.assertEqual(self.server.aborted, 1)

    def test_edit_and_versions(self):
        self.send("plain one")
        self.send("plain two")
        self.page.get_by_role("button", name="Edit and send again").first.click()
        edit = self.page.get_by_label("Your message", exact=True).and_(self.page.locator("textarea"))
        expect(edit).to_be_focused()
        edit.fill("plain changed")
        self.page.locator("form.edit .primary").click()
        self.wait_for_answer()
        self.assertEqual(self.messages(), ["plain changed"])
        self.assertEqual(self.page.locator(".message.user p").all_inner_texts(), ["plain changed"])
        self.page.get_by_role("button", name="Earlier version").click()
        self.assertEqual(self.page.locator(".message.user p").all_inner_texts(), ["plain one", "plain two"])
        expect(self.page.get_by_role("button", name="Later version")).to_be_focused()

    def test_retry_adds_a_version(self):
        self.send("plain please")
        self.page.get_by_role("button", name="Answer again").click()
        self.wait_for_answer()
        self.assertEqual(self.messages(), ["plain please"])
        self.assertIn("2 of 2", self.answer().inner_text())

    def test_kept_renamed_deleted(self):
        self.send("plain one")
        self.page.keyboard.press("Alt+n")
        self.send("plain two")
        self.page.reload()
        titles = self.page.locator(".conversation")
        expect(titles).to_have_text(["plain two", "plain one"])
        titles.nth(1).click()
        self.assertIn("The sum is 42.", self.answer().inner_text())
        self.page.get_by_role("button", name="Rename “plain one”").click()
        self.page.get_by_label("Title").fill("Sums <b>")
        self.page.keyboard.press("Enter")
        expect(titles.nth(1)).to_have_text("Sums <b>")
        self.page.get_by_role("button", name="Delete “plain two”").click()
        expect(self.page.get_by_role("button", name="Cancel")).to_be_focused()
        self.page.get_by_role("button", name="Delete", exact=True).click()
        expect(titles).to_have_text(["Sums <b>"])
        self.page.reload()
        expect(titles).to_have_text(["Sums <b>"])

    def test_deleting_while_it_streams(self):
        self.send("slow please", wait=False)
        self.page.get_by_role("button", name="Delete “slow please”").click()
        self.page.get_by_role("button", name="Delete", exact=True).click()
        self.wait_for_answer()
        self.page.reload()
        expect(self.page.locator("#no-conversations")).to_be_visible()

    def test_streams_on_in_the_background(self):
        self.server.delay = 0.03
        self.send("markdown please", wait=False)
        self.page.click("#new-chat")
        expect(self.page.locator("#welcome")).to_be_visible()
        self.wait_for_answer()
        self.page.click(".conversation")
        self.assertIn("Skipping levels", self.answer().inner_text())

    def test_export_and_import(self):
        self.settings(tools=TOOLS)
        self.send("tools please")
        with self.page.expect_download() as download:
            self.page.click("#export-button")
        with open(download.value.path(), "rb") as file:
            text = file.read()
        self.assertEqual(json.loads(text)["format"], "fathom-conversations")
        self.page.set_input_files("#import-file", {"name": "a.json", "mimeType": "application/json", "buffer": text})
        titles = self.page.locator(".conversation")
        expect(titles).to_have_text(["tools please"] * 2)
        self.page.locator("li:not(.current) .conversation").click()
        self.assertEqual(self.answer().locator(".code-head strong").all_inner_texts(), ["get_weather"] * 2)

    def test_import_refuses_and_repairs(self):
        def load(value):
            buffer = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            self.page.set_input_files("#import-file", {"name": "a.json", "mimeType": "application/json", "buffer": buffer})
        for value, why in (("{", "not JSON"), ({"a": 1}, "does not hold conversations")):
            load(value)
            expect(self.page.locator("dialog [role=alert]")).to_contain_text(why)
            self.page.keyboard.press("Escape")
        nodes = [{"id": "a", "parent": "", "role": "user", "content": {"not": "text"}},
                 {"id": "b", "parent": "b", "role": "user", "content": "ring"},
                 {"id": "c", "parent": "a", "role": "assistant", "content": "<img src=x onerror=1>", "tool_calls": 5,
                  "stats": {"tokens": "many", "__proto__": 1}, "finish": "stop"}]
        load({"format": "fathom-conversations", "conversations": [{"title": 5, "nodes": nodes}, None]})
        titles = self.page.locator(".conversation")
        expect(titles).to_have_text(["Imported"] * 2)
        for index in (0, 1):
            titles.nth(index).click()
        titles.nth(0).click()
        self.assertEqual(self.page.locator("#message-list img").count(), 0)

    def test_interrupted_by_closing(self):
        self.send("slow please", wait=False)
        expect(self.answer().locator(".prose").last).to_contain_text("word")
        self.page.reload()
        self.page.click(".conversation")
        self.assertIn("Interrupted", self.answer().inner_text())


class Errors(FakeServerCase):
    def test_states_and_retry(self):
        self.open(self.start())
        states = {"429": "queue is full", "503": "shutting down", "full": "no longer fits", "400": "messages[0].content",
                  "midway": "ran out of memory", "drop": "connection was lost"}
        for word, text in states.items():
            self.page.click("#new-chat")
            self.send(f"{word} please")
            alert = self.answer().get_by_role("alert")
            self.assertIn(text, alert.inner_text())
            expect(alert.get_by_role("button", name="Try again")).to_be_visible()
        self.assertIn("The connection breaks after these words", self.answer().inner_text())
        self.assert_accessible("errors")
        self.page.click("#new-chat")
        self.send("503once please")
        self.assertIn("wait 3 seconds", self.answer().inner_text())
        self.page.get_by_role("button", name="Try again").click()
        self.wait_for_answer()
        self.assertIn("The sum is 42.", self.answer().inner_text())
        self.assertEqual(self.page.locator(".siblings").count(), 0)

    def test_empty_answer_says_so(self):
        self.open(self.start())
        self.send("nothing please")
        self.assertIn("ended without an answer", self.answer().inner_text())

    def test_context_full(self):
        self.open(self.start())
        self.send("brim please")
        self.assertIn("context is full", self.answer().inner_text())
        self.assertIn("nearly-full", self.page.get_attribute("#context-use", "class"))

    def test_key(self):
        self.open(self.start(api_key="secret"), ready=False)
        self.assert_accessible("key wanted")
        self.page.get_by_role("textbox", name="API key").fill("wrong")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("dialog [role=alert]")).to_contain_text("did not take this key")
        self.page.get_by_role("textbox", name="API key").fill("secret")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#send-button")).to_be_enabled()
        self.assertEqual(self.page.evaluate("[sessionStorage.length, localStorage.getItem('fathom.key')]"), [1, None])
        self.server.api_key = "changed"
        self.send("plain please", wait=False)
        self.page.get_by_role("textbox", name="API key").fill("changed")
        self.page.keyboard.press("Enter")
        expect(self.answer().locator(".prose").last).to_have_text("The sum is 42.")

    def test_server_away(self):
        self.open(self.start())
        self.context.set_offline(True)
        self.send("plain please")
        self.assertIn("server cannot be reached", self.answer().inner_text())
        self.context.set_offline(False)
        self.page.get_by_role("button", name="Try again").click()
        self.wait_for_answer()
        self.assertIn("The sum is 42.", self.answer().inner_text())


class Reach(FakeServerCase):
    """Keyboard, screen reader, widths, colours."""

    def test_keyboard(self):
        page = self.open(self.start())
        expect(page.locator("#input")).to_be_focused()
        page.keyboard.type("plain one")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("two")
        page.keyboard.press("Enter")
        self.wait_for_answer()
        self.assertEqual(self.server.requests[-1]["messages"][0]["content"], "plain one\ntwo")
        page.keyboard.press("Alt+ArrowUp")
        expect(self.answer()).to_be_focused()
        page.keyboard.press("Alt+ArrowUp")
        expect(page.locator(".message.user")).to_be_focused()
        page.keyboard.press("Alt+i")
        expect(page.locator("#input")).to_be_focused()
        page.keyboard.press("Alt+t")
        self.assertEqual(page.get_attribute("#thinking-button", "aria-pressed"), "false")
        page.keyboard.press("Control+/")
        expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
        self.assert_accessible("shortcuts")
        page.keyboard.press("Escape")
        expect(page.locator("#input")).to_be_focused()
        page.keyboard.press("Alt+c")
        expect(page.locator("#sidebar")).to_be_hidden()
        page.keyboard.press("Alt+s")
        expect(page.locator("dialog [name=system]")).to_be_focused()

    def test_announcements_come_in_batches(self):
        page = self.open(self.start(delay=0.02))
        page.evaluate("""() => {
          window.heard = [];
          new MutationObserver(() => window.heard.push(document.querySelector("#live").textContent))
            .observe(document.querySelector("#live"), {childList: true, characterData: true, subtree: true});
        }""")
        self.send("math please")
        expect(page.locator("#live")).to_contain_text("End of the answer.", timeout=9000)
        heard = page.evaluate("window.heard")
        self.assertLessEqual(len(heard), 4)
        self.assertIn("Thinking.", heard[0])
        self.assertIn("Euler found e^{i\\pi} + 1 = 0", " ".join(heard))

    def test_follows_the_text_unless_scrolled_up(self):
        page = self.open(self.start(delay=0.004), size="phone")
        self.send("long please", wait=False)
        expect(self.answer()).to_contain_text("Paragraph 12")
        at_end = "(() => { const m = document.querySelector('#messages'); return m.scrollHeight - m.scrollTop - m.clientHeight < 5; })()"
        page.wait_for_function(at_end)
        page.evaluate("document.querySelector('#messages').scrollBy(0, -400)")
        expect(page.locator("#jump-down")).to_be_visible()
        self.wait_for_answer()
        self.assertFalse(page.evaluate(at_end))
        page.click("#jump-down")
        page.wait_for_function(at_end)
        expect(page.locator("#jump-down")).to_be_hidden()

    def test_accessible_everywhere(self):
        address = self.start()
        for size in ("desktop", "phone"):
            for scheme in ("light", "dark"):
                with self.subTest(size=size, scheme=scheme):
                    self.tour(address, size, scheme)

    def tour(self, address, size, scheme):
        page = self.open(address, size, scheme)
        self.assert_accessible("empty")
        for word in ("markdown", "math", "code", "hostile"):
            self.send(f"{word} please")
            page.locator("details.thinking summary").last.click()
            self.assert_accessible(word)
            self.assert_fits(word)
        page.click("#settings-button")
        self.assert_accessible("settings")
        self.assert_fits("settings")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Edit and send again").last.click()
        self.assert_accessible("editing")
        if size == "phone":
            page.click("#sidebar-toggle")
            expect(page.locator("#new-chat")).to_be_focused()
            self.assert_accessible("list open")
            page.keyboard.press("Escape")
            expect(page.locator("#sidebar-toggle")).to_be_focused()
        page.context.close()

    def test_narrow(self):
        page = self.open(self.start(), size="narrow")
        for word in ("markdown", "math", "code", "hostile", "429"):
            self.send(f"{word} please")
            self.assert_fits(word)
        expect(page.locator("#send-button")).to_be_in_viewport(ratio=1)

    def test_theme_switch(self):
        page = self.open(self.start(), scheme="light")
        background = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(background)
        page.click("#theme-button")
        self.assertEqual(page.evaluate(background), light)
        page.click("#theme-button")
        dark = page.evaluate(background)
        self.assertNotEqual(dark, light)
        page.reload()
        self.assertEqual(page.evaluate(background), dark)


if __name__ == "__main__":
    unittest.main()
