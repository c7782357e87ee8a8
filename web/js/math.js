// Mathematics: Markdown rules for $…$, $$…$$, \(…\), \[…\], and TeX to elements with KaTeX.
import { katex } from "/vendor.js";
import { h, scrollable } from "./dom.js";

const kMaxInline = 2000;
const kMaxBlock = 8000;

const kPairs = [
  { open: "$$", close: "$$", display: true },
  { open: "\\[", close: "\\]", display: true },
  { open: "\\(", close: "\\)", display: false },
  { open: "$", close: "$", display: false },
];

// Where the formula opened at `start` closes, or -1. A single dollar is money unless it hugs its formula.
function find_close(src, start, pair) {
  const from = start + pair.open.length;
  const limit = Math.min(src.length, from + kMaxInline);
  for (let at = src.indexOf(pair.close, from); at >= 0 && at < limit; at = src.indexOf(pair.close, at + 1)) {
    if (pair.close[0] === "$" && src[at - 1] === "\\") continue;
    const body = src.slice(from, at);
    if (body.trim() === "") return -1;
    if (pair.open !== "$") return at;
    if (/^\s|\n\s*\n|\s$/.test(body) || /\d/.test(src[at + 1] || "")) return -1;
    return at;
  }
  return -1;
}

function inline_rule(state, silent) {
  const pair = kPairs.find(({ open }) => state.src.startsWith(open, state.pos));
  if (!pair) return false;
  const close = find_close(state.src, state.pos, pair);
  if (close < 0) return false;
  if (!silent) {
    const token = state.push(pair.display ? "math_display" : "math", "", 0);
    token.content = state.src.slice(state.pos + pair.open.length, close).trim();
  }
  state.pos = close + pair.close.length;
  return true;
}

// A formula on lines of its own. One that is still being written (env.streaming) is held back as
// math_pending.
function block_rule(state, first, last, silent) {
  const line_at = (line) => state.src.slice(state.bMarks[line] + state.tShift[line], state.eMarks[line]);
  const start = line_at(first);
  const pair = kPairs.slice(0, 2).find(({ open }) => start.startsWith(open));
  if (!pair || state.sCount[first] - state.blkIndent >= 4) return false;
  const lines = [];
  let closed = false;
  let line = first;
  for (; line < last && !closed; ++line) {
    const text = line === first ? start.slice(pair.open.length) : line_at(line);
    const at = text.indexOf(pair.close);
    if (at >= 0 && text.slice(at + pair.close.length).trim().length > 1) return false;
    closed = at >= 0;
    lines.push(closed ? text.slice(0, at) : text);
  }
  const content = lines.join("\n").trim();
  if ((!closed && !state.env.streaming) || (closed && content === "")) return false;
  if (silent) return true;
  const token = state.push(closed ? "math_block" : "math_pending", "", 0);
  token.content = content;
  token.block = true;
  token.map = [first, line];
  state.line = line;
  return true;
}

export function math_rules(markdown) {
  markdown.inline.ruler.before("escape", "math", inline_rule);
  markdown.block.ruler.before("fence", "math_block", block_rule, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
}

// Macros are how TeX loops and grows; KaTeX 0.16.4 does not bound all of them, so formulas that define some
// stay text.
const kRefused =
    /\\(?:[egx]?def|(?:re)?newcommand|providecommand|let|futurelet|global|long|newenvironment)(?![a-zA-Z])/;
// Off in KaTeX as well, but there they would lose their arguments.
const kUntrusted = /\\(?:href|url|includegraphics|html(?:Class|Id|Style|Data))(?![a-zA-Z])/;
// The same version expands Unicode sub- and superscripts outside its bound.
const kManyScripts = /[\u2070-\u209c\u00b2\u00b3\u00b9\u1d2c-\u1d6a]{20}/;

const key_of = (tex, display) => `${display ? "D" : "I"}${tex}`;
const keys = new WeakMap();

// The formulas below `nodes`, for math_element to use again: a streaming paragraph is built many times.
export function formula_pool(nodes) {
  const pool = new Map();
  for (const node of nodes) {
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    for (const element of [node, ...node.querySelectorAll(".math, .math-display")]) {
      const key = keys.get(element);
      if (key) pool.set(key, [...(pool.get(key) || []), element]);
    }
  }
  return pool;
}

// The formula as an element; text that KaTeX does not take is shown as it is.
export function math_element(tex, display, pool) {
  const key = key_of(tex, display);
  const old = pool?.get(key)?.pop();
  if (old) return old;
  const element = render(tex, display);
  keys.set(element, key);
  element.className = display ? "math-display" : "math";
  return display ? scrollable(element, "Formula") : element;
}

function render(tex, display) {
  const box = document.createElement("span");
  const allowed =
      tex.length <= kMaxBlock && ![kRefused, kUntrusted, kManyScripts].some((one) => one.test(tex));
  try {
    if (!allowed) throw new Error("refused");
    katex.render(tex, box, {
      displayMode: display, throwOnError: true, strict: "ignore", trust: false, maxExpand: 300, maxSize: 20,
    });
  } catch {
    box.replaceChildren(h("code", { class: "tex-source" }, display ? `\\[${tex}\\]` : `\\(${tex}\\)`));
  }
  return box;
}
