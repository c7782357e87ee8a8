// Tool calls of an answer, the form for their results, and the results once sent.
import { code_block, copy_button, fill_code } from "./code.js";
import { h, scrollable, unique_id } from "./dom.js";

// JSON laid out over lines if that loses nothing (numbers too long for JavaScript would), else as it came.
export function pretty_json(text) {
  try {
    const pretty = JSON.stringify(JSON.parse(text), null, 2);
    return pretty.replace(/\s/g, "") === text.replace(/\s/g, "") ? pretty : text;
  } catch {
    return text;
  }
}

export function is_json(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

// A block of JSON with a label in its head; `text` may still be growing.
export function json_block(text, label, growing = false) {
  const pretty = growing ? text : pretty_json(text);
  const code = h("code");
  fill_code(code, pretty, "json", growing);
  return h("div", { class: "code" },
    h("div", { class: "code-head" }, label, copy_button("Copy JSON", () => pretty)),
    scrollable(h("pre", {}, code), "JSON"));
}

const call_head = (name) => h("span", {}, "Tool call ", h("strong", {}, name || "…"));

export class CallsView {
  // on_results([{tool_call_id, content}]) is called when the person sends the results.
  constructor(on_results) {
    this.element = h("div", { class: "calls" });
    this.on_results_ = on_results;
  }

  // `pending`: the results are to be entered here.
  update(calls, pending) {
    const state = JSON.stringify([calls, pending]);
    if (state === this.state_) return;
    this.state_ = state;
    const blocks = calls.map((call) => json_block(call.function.arguments, call_head(call.function.name)));
    this.element.replaceChildren(...blocks);
    if (pending) this.element.append(this.form_(calls));
  }

  form_(calls) {
    const fields = calls.map((call) => {
      const id = unique_id("result");
      const several = calls.length > 1 ? ` (${calls.indexOf(call) + 1} of ${calls.length})` : "";
      return {
        call, area: h("textarea", { id, rows: 3, spellcheck: "false" }),
        label: h("label", { for: id }, `Result of ${call.function.name}${several}`),
      };
    });
    const form =
        h("form", { class: "results" }, fields.map(({ label, area }) => [label, area]),
          h("div", { class: "row" },
            h("button", { class: "primary" }, calls.length > 1 ? "Send results" : "Send result")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.on_results_(fields.map(({ call, area }) => ({ tool_call_id: call.id, content: area.value })));
    });
    return form;
  }
}

// `calls` are those of the answer before, to name the results.
export function results_element(results, calls) {
  return h("div", { class: "calls" }, results.map(({ tool_call_id, content }) => {
    const name = calls.find((call) => call.id === tool_call_id)?.function.name || "tool";
    const block = code_block(pretty_json(content), is_json(content) ? "json" : "");
    block.querySelector(".code-head span").replaceChildren("Result of ", h("strong", {}, name));
    return block;
  }));
}

// Joins a chunk's delta.tool_calls to `calls`.
export function add_call_deltas(calls, deltas) {
  for (const delta of deltas) {
    const index = Number.isInteger(delta.index) ? delta.index : calls.length;
    if (index < 0 || index > 255) continue;
    while (calls.length <= index) {
      calls.push({ id: "", type: "function", function: { name: "", arguments: "" } });
    }
    const call = calls[index];
    if (delta.id) call.id = String(delta.id);
    call.function.name += delta.function?.name || "";
    call.function.arguments += delta.function?.arguments || "";
  }
}
