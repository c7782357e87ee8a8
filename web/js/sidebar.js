// The list of conversations: open, rename, delete, export, import.
import { announce } from "./announce.js";
import { confirm_dialog, open_dialog, text_dialog } from "./dialogs.js";
import { by_id, download, h } from "./dom.js";
import { icon, set_label } from "./icons.js";
import { export_text, import_text } from "./transfer.js";

const kNarrow = matchMedia("(max-width: 760px)");
const kMaxImport = 64 << 20;  // bytes

export class Sidebar {
  constructor(chat, store) {
    this.chat_ = chat;
    this.store_ = store;
    this.conversations_ = [];
    this.nav_ = by_id("sidebar");
    this.toggle_ = by_id("sidebar-toggle");
    this.shade_ = by_id("sidebar-shade");
    this.set_open(!kNarrow.matches);
    kNarrow.addEventListener("change", () => this.set_open(!kNarrow.matches));
    this.toggle_.addEventListener("click", () => this.set_open(!this.open_, true));
    this.shade_.addEventListener("click", () => this.set_open(false));
    this.nav_.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !kNarrow.matches) return;
      event.stopPropagation();
      this.toggle_open();
    });
    by_id("export-button").addEventListener("click", () => this.export_());
    by_id("import-button").addEventListener("click", () => by_id("import-file").click());
    by_id("import-file").addEventListener("change", (event) => this.import_(event.target));
  }

  // On narrow screens the list lies over the page, which then takes no input.
  set_open(open, move_focus = false) {
    this.open_ = open;
    const over = open && kNarrow.matches;
    this.nav_.hidden = !open;
    this.toggle_.setAttribute("aria-expanded", String(open));
    this.shade_.hidden = !over;
    by_id("main").inert = over;
    if (over && move_focus) this.nav_.querySelector("button").focus();
  }

  toggle_open() {
    this.set_open(!this.open_, true);
    if (!this.open_) this.toggle_.focus();
  }

  close_if_over() {
    if (kNarrow.matches) this.set_open(false);
  }

  async load() {
    this.conversations_ = await this.store_.all();
  }

  // Call when titles, order or the open conversation may have changed.
  show() {
    const current = this.chat_.conversation;
    if (current.nodes.length && !this.conversations_.includes(current)) this.conversations_.push(current);
    this.conversations_.sort((a, b) => b.updated - a.updated);
    by_id("conversation-list")
        .replaceChildren(...this.conversations_.map((one) => this.item_(one, one === current)));
    by_id("no-conversations").hidden = this.conversations_.length > 0;
    by_id("export-button").disabled = this.conversations_.length === 0;
  }

  item_(conversation, current) {
    const title = conversation.title || "Untitled";
    const open =
        h("button", { class: "conversation", title, "aria-current": current ? "true" : null }, title);
    open.addEventListener("click", () => {
      this.chat_.open(conversation);
      this.close_if_over();
      by_id("input").focus();
    });
    const rename = h("button", { class: "icon small" }, icon("edit"));
    set_label(rename, `Rename “${title}”`);
    rename.addEventListener("click", () => this.rename_(conversation));
    const remove = h("button", { class: "icon small" }, icon("trash"));
    set_label(remove, `Delete “${title}”`);
    remove.addEventListener("click", () => this.remove_(conversation, title));
    return h(
        "li", { class: current ? "current" : null, data: { id: conversation.id } }, open, rename, remove);
  }

  focus_item_(id) {
    const item = this.nav_.querySelector(`li[data-id="${CSS.escape(id)}"] button`);
    (item || by_id("new-chat")).focus();
  }

  async rename_(conversation) {
    const title = await text_dialog("Rename conversation", "Title", conversation.title, "Rename");
    if (title) {
      conversation.title = title;
      await this.store_.save(conversation);
      this.show();
    }
    this.focus_item_(conversation.id);
  }

  async remove_(conversation, title) {
    if (await confirm_dialog(
            "Delete conversation?", `“${title}” and all its answers will be gone.`, "Delete")) {
      this.conversations_ = this.conversations_.filter((other) => other !== conversation);
      await this.chat_.remove(conversation);
      this.show();
      announce("Conversation deleted.");
    }
    this.focus_item_(conversation.id);
  }

  export_() {
    const day = new Date().toISOString().slice(0, 10);
    download(`fathom-conversations-${day}.json`, export_text(this.conversations_));
  }

  async import_(input) {
    const file = input.files[0];
    input.value = "";
    if (!file) return;
    try {
      if (file.size > kMaxImport) throw new Error("The file is larger than 64 MB.");
      const read = import_text(await file.text());
      for (const conversation of read) await this.store_.save(conversation);
      this.conversations_.push(...read);
      this.show();
      announce(`${read.length} conversation${read.length === 1 ? "" : "s"} imported.`);
    } catch (error) {
      open_dialog("Nothing was imported", h("p", { role: "alert" }, error.message));
    }
  }
}
