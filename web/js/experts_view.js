// The view of the experts an answer used: a map of layers by experts, and the same as a table.
import { open_dialog } from "./dialogs.js";
import { h, scrollable, unique_id } from "./dom.js";
import { count_uses, layer_rows } from "./experts.js";
import { icon, set_label } from "./icons.js";

const kMaxListed = 8;    // experts named in a table row
const kMaxPieces = 3000; // clickable pieces of text; later tokens are reached with the slider

// Tokens without a text of their own, and line ends, can be seen and chosen too.
const shown_text = (text) => text.replaceAll("\n", "↵\n") || "·";

class HeatMap {
  constructor(record, on_hover) {
    this.record_ = record;
    this.canvas = h("canvas", { role: "img" });
    this.canvas.addEventListener("pointermove", (event) => on_hover(this.cell_(event)));
    this.canvas.addEventListener("pointerleave", () => on_hover(null));
    new ResizeObserver(() => this.draw_()).observe(this.canvas);
  }

  show(uses, tokens) {
    this.uses_ = uses;
    this.tokens_ = tokens;
    this.draw_();
  }

  cell_(event) {
    const { layers, routed } = this.record_;
    const box = this.canvas.getBoundingClientRect();
    const expert = Math.floor(((event.clientX - box.left) / box.width) * routed);
    const layer = Math.floor(((event.clientY - box.top) / box.height) * layers.length);
    if (expert < 0 || expert >= routed || layer < 0 || layer >= layers.length) return null;
    return { layer: layers[layer], expert, count: this.uses_[layer * routed + expert] };
  }

  draw_() {
    if (!this.uses_) return;
    const { layers, routed, top_k } = this.record_;
    const row = Math.max(4, Math.min(16, Math.floor(360 / layers.length)));
    this.canvas.style.height = `${row * layers.length}px`;
    const scale = devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(row * layers.length * scale));
    if (this.canvas.width !== width || this.canvas.height !== height)
      Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, width, height);
    context.fillStyle = style.color;
    // One token: used or not. Many: darkest is four times the even share, or the most used if that is less.
    const most = this.uses_.reduce((a, b) => Math.max(a, b), 1);
    const full = this.tokens_ === 1 ? 1 : Math.min(most, Math.max(1, (4 * top_k * this.tokens_) / routed));
    const x = (expert) => Math.round((expert * width) / routed);
    const y = (layer) => Math.round((layer * height) / layers.length);
    const gap_x = width / routed >= 5 ? 1 : 0;
    const gap_y = height / layers.length >= 5 ? 1 : 0;
    for (let layer = 0; layer < layers.length; ++layer) {
      for (let expert = 0; expert < routed; ++expert) {
        const count = this.uses_[layer * routed + expert];
        if (!count) continue;
        context.globalAlpha = 0.12 + 0.88 * Math.min(1, count / full);
        context.fillRect(
            x(expert), y(layer), x(expert + 1) - x(expert) - gap_x, y(layer + 1) - y(layer) - gap_y);
      }
    }
    context.globalAlpha = 1;
  }
}

// The text of the answer in the pieces it came in; a click chooses a piece's first token.
function text_strip(record, on_choose) {
  const pieces = record.pieces.slice(0, kMaxPieces).map(({ text, thought, first }) =>
    h("span", { class: thought ? "piece thought" : "piece", data: { first } }, shown_text(text)));
  const strip = h("div", { class: "strip" }, pieces);
  strip.addEventListener("click", (event) => {
    const { first } = event.target.dataset;
    if (first !== undefined) on_choose(Number(first));
  });
  return { strip, pieces };
}

function table(record, uses, tokens) {
  const single = tokens === 1;
  const rows = layer_rows(record, uses).map(({ layer, used, top }) => {
    const named = top.slice(0, single ? record.top_k : kMaxListed);
    const text = named.map(({ expert, count }) => (single ? `${expert}` : `${expert} (${count})`)).join(", ");
    return h(
        "tr", {}, h("th", { scope: "row" }, String(layer)), single ? null : h("td", {}, String(used)),
        h("td", {}, text));
  });
  return h(
      "table", {},
      h("caption", {},
        single ? "Experts of this token, by layer" : "Most used experts with their number of uses, by layer"),
      h("thead", {},
        h("tr", {}, h("th", { scope: "col" }, "Layer"), single ? null : h("th", { scope: "col" }, "Used"),
          h("th", { scope: "col" }, "Experts"))),
      h("tbody", {}, rows));
}

export function experts_dialog(record) {
  const slider_id = unique_id("token");
  const slider = h("input", { id: slider_id, type: "range", min: 0, max: record.tokens, value: 0 });
  const token_label = h("output", { for: slider_id, class: "token" });
  const cell_label = h("p", { class: "quiet cell" });
  const idle = `Layers ${record.layers[0]} to ${record.layers.at(-1)} from top to bottom, ` +
    `experts 0 to ${record.routed - 1} from left to right; the stronger the colour, the more often used.`;
  const map = new HeatMap(record, (cell) => {
    cell_label.textContent =
        cell ? `Layer ${cell.layer}, expert ${cell.expert}: used by ${cell.count} of the tokens shown` : idle;
  });
  const table_box = scrollable(h("div", { class: "table" }), "Experts by layer");
  const choose = (token) => {
    slider.value = token;
    show();
  };
  const { strip, pieces } = text_strip(record, (first) => choose(first + 1));
  const step = (name, delta, label) => {
    const button = h("button", { type: "button", class: "icon small" }, icon(name));
    set_label(button, label);
    button.addEventListener("click", () => choose(Number(slider.value) + delta));
    return button;
  };
  let marked = null;
  function show() {
    const chosen = Number(slider.value);
    const [first, last] = chosen ? [chosen - 1, chosen] : [0, record.tokens];
    const uses = count_uses(record, first, last);
    const at = chosen ? record.pieces.findLastIndex((piece) => piece.first < chosen) : -1;
    const text =
        chosen ? `Token ${chosen}: “${shown_text(record.pieces[at].text)}”` : `All ${record.tokens} tokens`;
    token_label.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    cell_label.textContent = idle;
    marked?.classList.remove("chosen");
    marked = pieces[at];
    marked?.classList.add("chosen");
    marked?.scrollIntoView({ block: "nearest" });
    map.show(uses, last - first);
    map.canvas.setAttribute("aria-label", `Map of experts used, ${text}; the table below holds the same.`);
    table_box.replaceChildren(table(record, uses, last - first));
  }
  open_dialog("Experts of this answer", [
    h("div", { class: "token-row" }, h("label", { for: slider_id }, "Token"), slider,
      step("left", -1, "Previous token"), step("right", 1, "Next token")),
    h("p", {}, token_label), scrollable(strip, "Text of the answer"),
    h("div", { class: "map" }, map.canvas), cell_label,
    h("details", { class: "as-table" }, h("summary", {}, "As a table"), table_box),
  ], { wide: true });
  slider.addEventListener("input", show);
  slider.focus();
  show();
}
