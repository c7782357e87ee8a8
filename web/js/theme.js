// Colours: as the system, light, or dark.
import { by_id } from "./dom.js";
import { set_icon, set_label } from "./icons.js";

const kName = "fathom.theme";
const kThemes = {
  system: { icon: "contrast", label: "Colours: as the system", next: "light" },
  light: { icon: "sun", label: "Colours: light", next: "dark" },
  dark: { icon: "moon", label: "Colours: dark", next: "system" },
};

function saved_theme() {
  try {
    const name = localStorage.getItem(kName);
    return Object.hasOwn(kThemes, name) ? name : "system";
  } catch {
    return "system";
  }
}

function apply(name) {
  if (name === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = name;
  }
  const button = by_id("theme-button");
  set_icon(button, kThemes[name].icon);
  set_label(button, kThemes[name].label);
}

export function init_theme() {
  let theme = saved_theme();
  apply(theme);
  by_id("theme-button").addEventListener("click", () => {
    theme = kThemes[theme].next;
    apply(theme);
    try {
      localStorage.setItem(kName, theme);
    } catch {
      // It holds until the page closes.
    }
  });
}
