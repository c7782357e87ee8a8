// The message field with its buttons and the notice above it.
import { by_id, h } from "./dom.js";
import { thinking_mode, thinks } from "./request.js";
import { tool_list } from "./settings.js";

const kTouch = matchMedia("(pointer: coarse)");

export class Composer {
  // actions: {send(text), stop(), toggle_thinking(), open_settings(field)}
  constructor(actions) {
    this.actions_ = actions;
    this.input_ = by_id("input");
    by_id("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send_();
    });
    this.input_.addEventListener("input", () => this.resize_());
    this.input_.addEventListener("keydown", (event) => {
      // Enter also ends a word in an input method, and starts a line on a touch keyboard.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || kTouch.matches) return;
      event.preventDefault();
      this.send_();
    });
    by_id("stop-button").addEventListener("click", () => {
      actions.stop();
      this.input_.focus();
    });
    by_id("thinking-button").addEventListener("click", () => actions.toggle_thinking());
    by_id("tools-chip").addEventListener("click", () => actions.open_settings("tools"));
    by_id("format-chip").addEventListener("click", () => actions.open_settings("format"));
    by_id("composer-hint").hidden = kTouch.matches;
  }

  send_() {
    const text = this.input_.value;
    if (text.trim() === "" || !this.ready_) return;
    this.input_.value = "";
    this.resize_();
    this.actions_.send(text);
  }

  resize_() {
    this.input_.style.height = "auto";
    this.input_.style.height = `${Math.min(this.input_.scrollHeight + 2, innerHeight * 0.4)}px`;
  }

  // A line above the field; `button` is {label, act} or absent.
  notice(text, button, alert = false) {
    const box = by_id("notice");
    box.hidden = !text;
    box.setAttribute("role", alert ? "alert" : "status");
    const element = button && h("button", { type: "button", class: "small" }, button.label);
    element?.addEventListener("click", button.act);
    box.replaceChildren(h("span", {}, text || ""), ...(element ? [element] : []));
  }

  // state: {model, settings, running, waits_for_results, used}
  show({ model, settings, running, waits_for_results, used }) {
    this.ready_ = Boolean(model) && !running && !waits_for_results;
    by_id("send-button").hidden = running;
    by_id("send-button").disabled = !this.ready_;
    by_id("stop-button").hidden = !running;
    if (!model) return;
    this.notice(waits_for_results ? "The model waits for the results of its tool calls." : "");
    const mode = thinking_mode(model);
    by_id("thinking-button").hidden = mode !== "switch";
    by_id("thinking-button").setAttribute("aria-pressed", String(thinks(model, settings)));
    by_id("thinking-fixed").hidden = mode !== "always";
    by_id("thinking-fixed").textContent = "Always thinks";
    const tools = model.fathom.tools ? tool_list(settings).length : 0;
    by_id("tools-chip").hidden = tools === 0;
    by_id("tools-chip").textContent = `${tools} tool${tools === 1 ? "" : "s"}`;
    by_id("format-chip").hidden = settings.format === "text";
    by_id("format-chip").textContent = settings.format === "json_schema" ? "JSON of a schema" : "JSON";
    this.show_context_(used, model.fathom.context);
  }

  // While an answer streams its speed stands where the use of the context stands otherwise.
  show_rate(rate) {
    by_id("context-use").textContent = rate === undefined ? "" : `${rate.toFixed(1)} tokens/s`;
  }

  show_context_(used, context) {
    const text =
        used && context ? `${used.toLocaleString("en")} of ${context.toLocaleString("en")} tokens` : "";
    by_id("context-use").textContent = text;
    by_id("context-use").classList.toggle("nearly-full", used > 0.9 * context);
  }
}
