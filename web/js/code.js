// Code with highlighting and a copy button.
import { hljs } from "/vendor.js";
import { copy_text, h, scrollable } from "./dom.js";
import { icon } from "./icons.js";

const kMaxHighlighted = 100000;
const kMaxGrowing = 20000;  // a block that still grows is highlighted again and again
const kEntities = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };
const plain = (text) => text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (entity) => kEntities[entity]);

// highlight.js answers in markup of nested <span class="…"> and escaped text. Reading it back into elements
// needs no innerHTML; anything else it might contain would show as text.
function append_highlighted(target, markup) {
  const stack = [target];
  for (const part of markup.split(/(<span class="[\w -]*">|<\/span>)/)) {
    const top = stack[stack.length - 1];
    if (part === "</span>" && stack.length > 1) {
      stack.pop();
    } else if (part.startsWith('<span class="')) {
      const span = h("span", { class: part.slice(13, -2) });
      top.append(span);
      stack.push(span);
    } else if (part) {
      top.append(plain(part));
    }
  }
}

export function fill_code(target, text, language, growing = false) {
  const most = growing ? kMaxGrowing : kMaxHighlighted;
  if (language && hljs.getLanguage(language) && text.length <= most) {
    append_highlighted(target, hljs.highlight(language, text, true).value);
  } else {
    target.append(text);
  }
}

export function copy_button(name, text_of) {
  const button =
      h("button", { type: "button", class: "small ghost", "aria-label": name }, icon("copy"), "Copy");
  button.addEventListener("click", async () => {
    let outcome = "Copied";
    try {
      await copy_text(text_of());
    } catch {
      outcome = "Not copied";
    }
    button.replaceChildren(icon(outcome === "Copied" ? "check" : "close"), outcome);
    button.setAttribute("aria-label", outcome);
    setTimeout(() => {
      button.replaceChildren(icon("copy"), "Copy");
      button.setAttribute("aria-label", name);
    }, 2000);
  });
  return button;
}

// `info` is what stands after the fence; its first word is the language.
export function code_block(text, info, growing = false) {
  const language = /^[\w+#.-]{0,30}/.exec(info.trim().toLowerCase())[0];
  const code = h("code");
  fill_code(code, text, language, growing);
  const name = language ? `Code, ${language}` : "Code";
  return h("div", { class: "code" },
    h("div", { class: "code-head" }, h("span", {}, language || "text"), copy_button("Copy code", () => text)),
    scrollable(h("pre", {}, code), name));
}
