"""Answers: Markdown, mathematics, code, hostile text, thoughts, tools, JSON, figures, experts."""

import json
import os
import re
import time
import unittest

import fake_server
from page_case import PageCase, expect

TOOLS = '[{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]'


class Answers(PageCase):
    def setUp(self):
        self.server = fake_server.Server(os.environ["FATHOM_WEB_BUNDLE"]).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.open(self.server.address)

    def test_markdown(self):
        self.send("markdown please")
        answer = self.answer()
        self.assertEqual(answer.locator(".prose > :is(h3,h4,h5)").all_inner_texts(), ["Rivers", "Lengths", "Skipping levels"])
        self.assertEqual(answer.locator("td").all_inner_texts()[:2], ["Nile", "6,650 km"])
        self.assertEqual(answer.locator("td").nth(1).get_attribute("class"), "align-right")
        self.assertEqual(answer.locator("ol > li > ul > li").count(), 2)
        link = answer.locator("a").first
        self.assertEqual(link.get_attribute("href"), "https://example.org/rivers")
        self.assertIn("noopener", link.get_attribute("rel"))
        self.assertEqual(answer.locator(".prose:not(.thoughts) .katex").count(), 0)

    def test_streaming_ends_like_one_piece(self):
        """What grew block by block is what one reading of the whole text gives."""
        for word in ("markdown", "math", "code", "hostile"):
            self.server.delay = 0.004
            self.send(f"{word} please")
            grown = self.answer().locator(".prose").last.inner_html()
            self.page.reload()
            self.page.click(".conversation")
            self.assertEqual(grown, self.answer().locator(".prose").last.inner_html(), word)
            self.page.click("#new-chat")

    def test_mathematics(self):
        self.send("math please")
        answer = self.answer().locator(".prose").last
        self.assertEqual(answer.locator(".katex").count(), 4)
        self.assertEqual(answer.locator(".math-display .katex").count(), 2)
        self.assertEqual(answer.locator("math annotation").first.text_content(), "e^{i\\pi} + 1 = 0")
        self.assertEqual(answer.locator("code.tex-source").all_inner_texts(), ["\\(\\frac{1\\)", "\\(\\def\\x{1}\\x\\)"])
        # KaTeX places its parts with styles: without them the exponent would not stand higher than its base.
        raised = answer.locator(".msupsub .vlist > span").first.evaluate("e => e.style.top")
        self.assertRegex(raised, r"^-\d")
        self.assertTrue(self.page.evaluate("document.fonts.check('16px KaTeX_Main')"))

    def test_code_and_copy(self):
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.send("code please")
        block = self.answer().locator(".code").first
        self.assertEqual(block.locator(".hljs-comment").inner_text(), "# A comment with <b>markup</b> & more.")
        self.assertEqual(self.answer().locator(".code-head span").all_inner_texts(), ["python", "cpp", "text"])
        block.get_by_role("button", name="Copy code").click()
        expect(block.get_by_role("button")).to_have_text("Copied")
        copied = self.page.evaluate("navigator.clipboard.readText()")
        self.assertTrue(copied.startswith("def greet(name: str) -> str:\n    # A comment with <b>"), copied)

    def test_hostile_text_stays_text(self):
        self.send("hostile please")
        answer = self.answer()
        self.assertIsNone(self.page.evaluate("window.hacked ?? null"))
        self.assertEqual(answer.locator("script, img, iframe, style, [onclick], [onerror]").count(), 0)
        links = answer.locator("a").evaluate_all("links => links.map((link) => link.href)")
        self.assertTrue(links and all(link.startswith("https://example.org") for link in links), links)
        self.assertIn("<script>window.hacked = 1</script>", answer.inner_text())

    def test_heavy_text_does_not_hang(self):
        begin = time.monotonic()
        self.send("heavy please")
        self.assertEqual(self.answer().locator("td").count(), 300)
        self.assertEqual(self.answer().locator(".katex").count(), 0)
        self.assertLess(time.monotonic() - begin, 9)

    def test_thoughts_fold_when_the_answer_begins(self):
        self.server.delay = 0.05
        self.send("plain please", wait=False)
        thoughts = self.answer().locator("details.thinking")
        expect(thoughts).to_have_attribute("open", "")
        expect(thoughts.locator("summary")).to_contain_text("Thinking for")
        self.wait_for_answer()
        expect(thoughts).not_to_have_attribute("open", "")
        self.assertRegex(thoughts.locator("summary").inner_text(), r"^Thought for \d+ seconds?$")
        thoughts.locator("summary").click()
        self.assertTrue(thoughts.locator(".katex").first.is_visible())

    def test_thinking_switch(self):
        self.page.click("#thinking-button")
        self.send("plain please")
        self.assertEqual(self.server.requests[-1]["thinking"], {"type": "disabled"})
        self.assertTrue(self.answer().locator("details.thinking").is_hidden())
        self.assertEqual(self.page.get_attribute("#thinking-button", "aria-pressed"), "false")

    def test_mode_follows_the_model(self):
        for thinking, plain, expected in ((True, False, "enabled"), (False, True, "disabled")):
            fathom = {**fake_server.MODEL["fathom"], "thinking": thinking, "non_thinking": plain}
            self.server.model = {**fake_server.MODEL, "fathom": fathom}
            self.page.reload()
            self.assertTrue(self.page.locator("#thinking-button").is_hidden())
            self.send("plain please")
            self.assertEqual(self.server.requests[-1]["thinking"], {"type": expected})

    def test_tools(self):
        self.settings(tools=TOOLS)
        self.send("tools please")
        self.assertEqual(self.server.requests[-1]["tools"], json.loads(TOOLS))
        self.assertEqual(self.answer().locator(".code-head strong").all_inner_texts(), ["get_weather"] * 2)
        self.assertIn('"city": "Paris"', self.answer().locator("pre").first.inner_text())
        self.assertTrue(self.page.locator("#send-button").is_disabled())
        self.assert_accessible("results wanted")
        self.page.get_by_label("Result of get_weather (1 of 2)").fill('{"celsius": 21}')
        self.page.get_by_label("Result of get_weather (2 of 2)").fill("rain")
        self.page.click("text=Send results")
        self.wait_for_answer()
        self.assertIn('The tools said: {"celsius": 21}; rain', self.answer().inner_text())
        sent = self.server.requests[-1]["messages"]
        self.assertEqual([message["role"] for message in sent], ["user", "assistant", "tool", "tool"])
        self.assertEqual([call["function"]["arguments"] for call in sent[1]["tool_calls"]],
                         ['{"city": "Paris"}', '{"city": "Bern"}'])
        self.assertEqual([message["tool_call_id"] for message in sent[2:]], ["call_1", "call_2"])
        self.assertNotIn("reasoning_content", json.dumps(sent))

    def test_json_mode(self):
        self.settings(format="json_object")
        self.send("json please")
        self.assertEqual(self.server.requests[-1]["response_format"], {"type": "json_object"})
        self.assertIn("JSON, valid", self.answer().inner_text())
        # A number too long for JavaScript is shown as the model wrote it.
        self.assertIn("12345678901234567890", self.answer().locator("pre").inner_text())
        self.settings(format="json_schema", schema='{"type": "object"}')
        self.send("cut please")
        self.assertEqual(self.server.requests[-1]["response_format"]["json_schema"]["schema"], {"type": "object"})
        self.assertIn("JSON, not complete", self.answer().inner_text())
        self.assertIn("limit of tokens", self.answer().inner_text())

    def test_sampling_settings_are_sent(self):
        self.settings(temperature="0.5", top_p="0.9", top_k="40", min_p="0.05", frequency_penalty="0.1",
                      presence_penalty="-0.2", max_tokens="100", seed="7", stop="END\n###", system="Be brief.")
        self.send("plain please")
        body = self.server.requests[-1]
        expected = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "frequency_penalty": 0.1,
                    "presence_penalty": -0.2, "max_tokens": 100, "seed": 7, "stop": ["END", "###"]}
        self.assertEqual({name: body[name] for name in expected}, expected)
        self.assertEqual(body["messages"][0], {"role": "system", "content": "Be brief."})
        self.page.reload()
        self.send("plain please")
        self.assertEqual(self.server.requests[-1]["seed"], 7)

    def test_unset_settings_are_not_sent(self):
        self.send("plain please")
        self.assertEqual(set(self.server.requests[-1]), {"model", "messages", "stream", "stream_options", "thinking", "fathom"})

    def test_invalid_settings_are_refused(self):
        self.settings(temperature="7", tools="[{}]")
        temperature = self.page.locator("dialog [name=temperature]")
        expect(temperature).to_be_focused()
        self.assertEqual(temperature.get_attribute("aria-invalid"), "true")
        self.assertIn("Tool 1 must be", self.page.locator("dialog").inner_text())
        self.assert_accessible("invalid settings")

    def test_speed_while_streaming(self):
        self.send("slow please", wait=False)
        expect(self.page.locator("#context-use")).to_have_text(re.compile(r"^\d+\.\d tokens/s$"))
        self.page.click("#stop-button")

    def test_figures(self):
        self.send("plain please")
        figures = self.answer().locator(".stats").inner_text()
        for text in ("24.", "tokens/s", "first token", "cache 80 %", "drafts 78 %"):
            self.assertIn(text, figures)
        self.assertIn("of 4,096 tokens", self.page.inner_text("#context-use"))

    def test_experts(self):
        self.send("plain please")
        self.answer().get_by_role("button", name="Experts").click()
        dialog = self.page.locator("dialog")
        tokens = int(dialog.locator("input[type=range]").get_attribute("max"))
        self.assertEqual(dialog.locator("output").inner_text(), f"All {tokens} tokens")
        dialog.locator("summary").click()
        for token in (1, tokens):
            dialog.locator("input[type=range]").fill(str(token))
            rows = dialog.locator("tbody tr").all_inner_texts()
            shown = {int(layer): sorted(int(expert) for expert in experts.split(", "))
                     for layer, experts in (row.split("\t") for row in rows)}
            expected = fake_server.experts_of(token - 1)
            self.assertEqual(shown, {layer: sorted(ids) for layer, ids in zip(fake_server.LAYERS, expected)})
        self.assertEqual(self.painted_cells(), len(fake_server.LAYERS) * fake_server.TOP_K)
        self.assert_accessible("experts")
        dialog.locator(".piece").nth(2).click()
        self.assertIn("Token 3:", dialog.locator("output").inner_text())
        self.page.keyboard.press("Escape")
        expect(self.answer().get_by_role("button", name="Experts")).to_be_focused()

    def painted_cells(self):
        """Cells of the map whose middle has colour."""
        return self.page.evaluate("""([layers, experts]) => {
          const canvas = document.querySelector("canvas");
          const context = canvas.getContext("2d");
          let painted = 0;
          for (let y = 0; y < layers; ++y) for (let x = 0; x < experts; ++x) {
            const at = [(x + 0.5) * canvas.width / experts, (y + 0.5) * canvas.height / layers].map(Math.floor);
            if (context.getImageData(...at, 1, 1).data[3] > 200) ++painted;
          }
          return painted;
        }""", [len(fake_server.LAYERS), fake_server.ROUTED])


if __name__ == "__main__":
    unittest.main()
