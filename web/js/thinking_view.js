// The model's thoughts: open while they stream, folded with their duration when the answer begins.
import { h, scrollable } from "./dom.js";
import { MarkdownStream } from "./markdown.js";
import { duration } from "./stats.js";

export class ThinkingView {
  constructor() {
    this.label_ = h("span");
    this.body_ = h("div", { class: "prose thoughts" });
    scrollable(this.body_, "Thoughts");
    this.element =
        h("details", { class: "thinking", hidden: true }, h("summary", {}, this.label_), this.body_);
    this.stream_ = new MarkdownStream(this.body_);
    this.touched_ = false;
    this.done_ = false;
    this.element.firstChild.addEventListener("click", () => (this.touched_ = true));
  }

  // `live`: more thoughts may follow. `ms`: how long the thinking took so far.
  update(text, live, ms) {
    if (!text || this.done_) return;
    this.element.hidden = false;
    this.stream_.update(text, !live);
    this.label_.textContent = live ? `Thinking for ${duration(ms)}` :
        ms ? `Thought for ${duration(ms)}` :
             "Thoughts";
    this.element.classList.toggle("live", live);
    if (!this.touched_) this.element.open = live;
    if (live) this.body_.scrollTop = this.body_.scrollHeight;
    this.done_ = !live;
  }
}
