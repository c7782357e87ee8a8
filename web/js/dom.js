// Building elements. Strings only ever become text or attributes, so nothing here can turn text into markup.

// h("a", {class: "x", href: "…", on: {click: f}, data: {id: 1}}, child, "text", …). False and null props are
// left out.
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(
      ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const by_id = (id) => document.getElementById(id);

let counter = 0;
export const unique_id = (prefix) => `${prefix}-${++counter}`;

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth + 1 || target.scrollHeight > target.clientHeight + 1) {
      target.tabIndex = 0;
    } else {
      target.removeAttribute("tabindex");
    }
  }
});

// Lets the keyboard reach a box exactly while its content overflows.
export function scrollable(element, label) {
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
  resized.observe(element);
  return element;
}

export async function copy_text(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Browsers hide the clipboard from pages that came over plain HTTP from another machine.
  const area = h("textarea", { class: "hidden", "aria-label": "Text to copy" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("the browser refused");
}

export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
