// Shortcuts of the whole page (kShortcuts in dialogs.js lists them). All have a modifier, so that speech
// input and typing cannot hit them by accident.

// actions: {stop(), focus_input(), new_chat(), toggle_sidebar(), toggle_thinking(), settings(), step(delta),
// help()}
export function init_keyboard(actions) {
  const with_alt = {
    KeyI: actions.focus_input,
    KeyN: actions.new_chat,
    KeyC: actions.toggle_sidebar,
    KeyT: actions.toggle_thinking,
    KeyS: actions.settings,
    ArrowUp: () => actions.step(-1),
    ArrowDown: () => actions.step(1),
  };
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    if (event.key === "Escape") return actions.stop();
    let act = null;
    if (event.altKey && !event.ctrlKey && !event.metaKey && Object.hasOwn(with_alt, event.code))
      act = with_alt[event.code];
    if ((event.ctrlKey || event.metaKey) && event.key === "/") act = actions.help;
    if (!act) return;
    event.preventDefault();
    act();
  });
}
