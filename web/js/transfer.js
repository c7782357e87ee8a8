// Conversations as a JSON file. What comes from a file is rebuilt field by field: nothing unknown is kept.
import { new_id } from "./conversation.js";

export function export_text(conversations) {
  return JSON.stringify({ format: "fathom-conversations", version: 1, conversations }, null, 1);
}

// Returns conversations with fresh ids. Throws an Error whose message a person can read.
export function import_text(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error("The file is not JSON.");
  }
  if (!file || file.format !== "fathom-conversations" || !Array.isArray(file.conversations)) {
    throw new Error("The file does not hold conversations exported from this page.");
  }
  return file.conversations.map(read_conversation);
}

const text_of = (value) => (typeof value === "string" ? value : "");
const time_of = (value) => (Number.isFinite(value) ? value : Date.now());

function read_conversation(from) {
  const ids = new Map([["", ""]]);
  const nodes = [];
  for (const node of Array.isArray(from?.nodes) ? from.nodes : []) {
    // A parent comes before its children, so a file cannot describe a ring.
    if (!node || !ids.has(node.parent) || typeof node.id !== "string" || ids.has(node.id)) continue;
    const fields = read_role(node);
    if (!fields) continue;
    ids.set(node.id, new_id());
    nodes.push(
        { id: ids.get(node.id), parent: ids.get(node.parent), created: time_of(node.created), ...fields });
  }
  const chosen = {};
  for (const [parent, child] of Object.entries(from?.chosen || {})) {
    if (ids.has(parent) && ids.has(child)) chosen[ids.get(parent)] = ids.get(child);
  }
  return {
    id: new_id(), title: text_of(from?.title).slice(0, 200) || "Imported", created: time_of(from?.created),
    updated: time_of(from?.updated), nodes, chosen,
  };
}

function read_role(node) {
  if (node.role === "user") return { role: "user", content: text_of(node.content) };
  if (node.role === "tools") {
    const results = (Array.isArray(node.results) ? node.results : []).map((result) => ({
      tool_call_id: text_of(result?.tool_call_id), content: text_of(result?.content),
    }));
    return { role: "tools", results };
  }
  if (node.role !== "assistant") return null;
  return {
    role: "assistant",
    content: text_of(node.content),
    reasoning: text_of(node.reasoning),
    tool_calls: (Array.isArray(node.tool_calls) ? node.tool_calls : []).map(read_call),
    finish: text_of(node.finish),
    stopped: node.stopped === true,
    error: null,
    experts: false,
    format: node.format === "json" ? "json" : "text",
    model: text_of(node.model),
    stats: read_stats(node.stats),
  };
}

function read_call(call) {
  const { name, arguments: args } = call?.function || {};
  return {
    id: text_of(call?.id),
    type: "function",
    function: { name: text_of(name), arguments: text_of(args) }
  };
}

function read_stats(from) {
  const stats = {};
  for (const [name, value] of Object.entries(from || {})) {
    if (/^[a-z_]{1,32}$/.test(name) && Number.isFinite(value)) stats[name] = value;
  }
  return stats;
}
