// Markdown to elements. The parser's tokens are turned into elements one by one from a closed list, so what a
// model writes can neither become markup nor script: HTML is text, links go to http, https and mailto, images
// are off.
import { MarkdownIt } from "/vendor.js";
import { code_block } from "./code.js";
import { h, scrollable } from "./dom.js";
import { formula_pool, math_element, math_rules } from "./math.js";

const kLink = /^(?:https?:\/\/|mailto:)/i;
const kMaxBlocks = 200000;  // characters; longer texts are shown unformatted

const parser = new MarkdownIt({ html: false, linkify: true, typographer: false, maxNesting: 50 });
parser.disable(["image", "html_block", "html_inline"]);
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
parser.validateLink = (url) => kLink.test(url.trim());
parser.use(math_rules);

const kPaired = {
  paragraph: "p",
  blockquote: "blockquote",
  bullet_list: "ul",
  ordered_list: "ol",
  list_item: "li",
  table: "table",
  thead: "thead",
  tbody: "tbody",
  tr: "tr",
  th: "th",
  td: "td",
  em: "em",
  strong: "strong",
  s: "s",
};

// Headings keep their order but never skip a level below the message's own (2), as assistive technology
// expects.
function heading(token, env) {
  const wanted = Number(token.tag[1]);
  env.level = Math.min(wanted + 2, (env.level || 2) + 1, 6);
  return h(`h${env.level}`, { class: `size-${Math.min(wanted, 4)}` });
}

function open_element(token, env) {
  const type = token.type.slice(0, -5);
  if (type === "heading") return heading(token, env);
  if (type === "link") {
    const href = token.attrGet("href") || "";
    // Asked again: the parser normalised the address after it was checked.
    if (!kLink.test(href)) return h("span");
    return h("a", { href, rel: "noopener noreferrer nofollow", target: "_blank" });
  }
  const tag = kPaired[type];
  if (!tag) return null;
  const element = h(tag);
  if (type === "ordered_list" && /^\d{1,9}$/.test(String(token.attrGet("start")))) {
    element.setAttribute("start", token.attrGet("start"));
  }
  const align = /text-align:(center|right)/.exec(token.attrGet("style") || "");
  if (align) element.className = `align-${align[1]}`;
  return element;
}

function leaf(token, env) {
  switch (token.type) {
    case "inline": return build(token.children, env);
    case "text": return token.content;
    case "code_inline": return h("code", {}, token.content);
    case "softbreak": return "\n";
    case "hardbreak": return h("br");
    case "hr": return h("hr");
    case "fence": return code_block(token.content, token.info, env.tail);
    case "code_block": return code_block(token.content, "");
    case "math": return math_element(token.content, false, env.pool);
    case "math_display":
    case "math_block": return math_element(token.content, true, env.pool);
    case "math_pending": return h("p", { class: "tex-source" }, token.content);
    default: return token.content;
  }
}

const framed_table = (table) => scrollable(h("div", { class: "table" }, table), "Table");

function build(tokens, env) {
  const root = document.createDocumentFragment();
  const stack = [root];
  for (const token of tokens) {
    const top = stack[stack.length - 1];
    if (token.nesting === 0) {
      top.append(leaf(token, env));
    } else if (token.nesting === 1) {
      // The paragraphs of a tight list are hidden: their text goes straight into the item.
      const element = token.hidden ? null : open_element(token, env);
      if (element) top.append(element.tagName === "TABLE" ? framed_table(element) : element);
      stack.push(element || top);
    } else if (stack.length > 1) {
      stack.pop();
    }
  }
  return root;
}

// A text that grows: blocks that can no longer change stay as they are, only the last is parsed and built
// again.
export class MarkdownStream {
  constructor(root) {
    this.root_ = root;
    this.reset_();
  }

  reset_() {
    this.root_.replaceChildren();
    this.settled_ = 0;  // characters of the text whose elements are final
    this.env_ = {};
    this.tail_nodes_ = [];
  }

  // Shows `text`, which begins with what was shown before. `done`: nothing follows. Returns the elements that
  // became final by this call.
  update(text, done) {
    if (text.length - this.settled_ > kMaxBlocks) return this.update_plain_(text);
    if (done && this.env_.references) this.reset_();  // a definition may stand after its use
    const tail = text.slice(this.settled_);
    const env = { ...this.env_, streaming: !done, pool: formula_pool(this.tail_nodes_) };
    const tokens = parser.parse(tail, env);
    for (const node of this.tail_nodes_) node.remove();
    const split = done ? tokens.length : last_block(tokens);
    const final_nodes = [...build(tokens.slice(0, split), env).childNodes];
    this.root_.append(...final_nodes);
    this.env_ = { references: env.references, level: env.level };
    if (!done && split < tokens.length) this.settled_ += line_offset(tail, tokens[split].map[0]);
    this.tail_nodes_ = [...build(tokens.slice(split), { ...env, tail: true }).childNodes];
    this.root_.append(...this.tail_nodes_);
    return final_nodes;
  }

  update_plain_(text) {
    for (const node of this.tail_nodes_) node.remove();
    this.tail_nodes_ = [h("div", { class: "plain" }, text.slice(this.settled_))];
    this.root_.append(...this.tail_nodes_);
    return [];
  }
}

// The index of the token that opens the last block of the text.
function last_block(tokens) {
  for (let index = tokens.length - 1; index >= 0; --index) {
    const { level, nesting, map } = tokens[index];
    if (level === 0 && nesting >= 0 && map) return index;
  }
  return tokens.length;
}

function line_offset(text, line) {
  let at = 0;
  for (; line > 0; --line) at = text.indexOf("\n", at) + 1;
  return at;
}

// Text for a screen reader: formulas as their TeX, code by its name.
export function spoken_text(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (node.classList.contains("code"))
    return `${node.querySelector("pre").getAttribute("aria-label")} block. `;
  if (node.classList.contains("katex")) return node.querySelector("annotation")?.textContent || "";
  return [...node.childNodes].map(spoken_text).join("") +
      (/^(P|LI|H\d|TD|TH)$/.test(node.tagName) ? ". " : "");
}
