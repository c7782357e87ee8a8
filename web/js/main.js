// Puts the parts of the page together.
import { announce } from "./announce.js";
import { list_models, set_api_key } from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { new_conversation } from "./conversation.js";
import { help_dialog, key_dialog } from "./dialogs.js";
import { by_id, h } from "./dom.js";
import { experts_dialog } from "./experts_view.js";
import { fill_icons } from "./icons.js";
import { init_keyboard } from "./keyboard.js";
import { thinking_mode } from "./request.js";
import { load_settings, save_settings } from "./settings.js";
import { settings_dialog } from "./settings_view.js";
import { Sidebar } from "./sidebar.js";
import { open_store } from "./store.js";
import { init_theme } from "./theme.js";
import { ThreadView } from "./thread_view.js";

fill_icons(document);
init_theme();

const store = await open_store();
let models = [];

const thread = new ThreadView({
  edit: (node, text) => chat.edit(node, text),
  retry: (node) => chat.retry(node),
  step: (node, delta) => chat.step(node, delta),
  send_results: (node, results) => chat.send_results(node, results),
  show_experts,
});
const chat = new Chat(store, thread, load_settings(), show_around, (rate) => composer.show_rate(rate));
const sidebar = new Sidebar(chat, store);
const composer = new Composer({
  send: (text) => chat.send(text), stop: () => chat.stop(), toggle_thinking, open_settings,
});

function show_around() {
  sidebar.show();
  composer.show({
    model: chat.model, settings: chat.settings, running: Boolean(chat.run),
    waits_for_results: chat.waits_for_results(), used: chat.context_used(),
  });
}

function change_settings(settings) {
  chat.settings = settings;
  save_settings(settings);
  show_around();
}

function open_settings(focus) {
  settings_dialog(chat.settings, chat.model, (settings) => {
    change_settings(settings);
    announce("Settings saved.");
  }, focus);
}

function toggle_thinking() {
  if (!chat.model || thinking_mode(chat.model) !== "switch") return;
  change_settings({ ...chat.settings, thinking: !chat.settings.thinking });
  announce(chat.settings.thinking ? "Thinking on." : "Thinking off.");
}

function new_chat() {
  chat.open(new_conversation());
  sidebar.close_if_over();
  by_id("input").focus();
}

async function show_experts(node) {
  const record = await store.load_experts(node.id);
  if (record) {
    experts_dialog(record);
  } else {
    announce("The experts of this answer were not kept.");
  }
}

function choose_model(id) {
  chat.model = models.find((model) => model.id === id) || models[0];
  by_id("model-name").textContent = models.length === 1 ? chat.model.id : "";
  by_id("welcome-text").textContent =
    `${chat.model.id} runs on this server. Conversations stay in this browser.`;
  show_around();
}

function show_models() {
  const select = by_id("model-select");
  select.replaceChildren(...models.map(({ id }) => h("option", { value: id }, id)));
  select.hidden = models.length < 2;
  choose_model(models[0].id);
}

// Asks until a key is taken or the person gives up.
async function connect() {
  composer.notice("Connecting …");
  for (let rejected = false; ; rejected = true) {
    try {
      models = await list_models();
      return show_models();
    } catch (error) {
      const key = error.kind === "key" ? await key_dialog(rejected) : null;
      if (!key) return composer.notice(error.message, { label: "Try again", act: connect }, true);
      set_api_key(key);
    }
  }
}

init_keyboard({
  stop: () => chat.stop(), focus_input: () => by_id("input").focus(), new_chat,
  toggle_sidebar: () => sidebar.toggle_open(), toggle_thinking, settings: () => open_settings(),
  step: (delta) => thread.focus_step(delta), help: help_dialog,
});
by_id("new-chat").addEventListener("click", new_chat);
by_id("settings-button").addEventListener("click", () => open_settings());
by_id("help-button").addEventListener("click", help_dialog);
by_id("model-select").addEventListener("change", (event) => choose_model(event.target.value));

await sidebar.load();
chat.open(chat.conversation);
by_id("input").focus();
await connect();
