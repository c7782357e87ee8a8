// A conversation is a tree of nodes: editing a message or retrying an answer adds a sibling, nothing is lost.
//
// {id, title, created, updated, nodes: [node], chosen: {parent id: child id}}
// node: {id, parent, role: "user" | "assistant" | "tools", created, …}
//   user: content
//   assistant: content, reasoning, tool_calls, finish, error, stopped, format, model, stats, experts
//   tools: results: [{tool_call_id, content}]

export const new_id = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

export function new_conversation() {
  const now = Date.now();
  return { id: new_id(), title: "", created: now, updated: now, nodes: [], chosen: {} };
}

export const siblings = (conversation, parent) => conversation.nodes.filter((node) => node.parent === parent);

export const find_node = (conversation, id) => conversation.nodes.find((node) => node.id === id);

// The nodes now shown, from the first message on. Without a choice the newest sibling counts.
export function shown_path(conversation) {
  const path = [];
  let parent = "";
  for (;;) {
    const choices = siblings(conversation, parent);
    if (!choices.length) return path;
    const node =
        choices.find((choice) => choice.id === conversation.chosen[parent]) || choices[choices.length - 1];
    path.push(node);
    parent = node.id;
  }
}

// The nodes before `id`, from the first message on, and that node.
export function path_to(conversation, id) {
  const path = [];
  for (let node = find_node(conversation, id); node; node = find_node(conversation, node.parent))
    path.unshift(node);
  return path;
}

export function add_node(conversation, parent, fields) {
  const node = { id: new_id(), parent, created: Date.now(), ...fields };
  conversation.nodes.push(node);
  conversation.chosen[parent] = node.id;
  conversation.updated = node.created;
  if (!conversation.title && node.role === "user") conversation.title = title_of(node.content);
  return node;
}

// Shows the sibling `step` places on; returns it, or null at the ends.
export function choose_sibling(conversation, node, step) {
  const choices = siblings(conversation, node.parent);
  const next = choices[choices.indexOf(node) + step];
  if (!next) return null;
  conversation.chosen[node.parent] = next.id;
  return next;
}

function title_of(text) {
  const line = text.trim().split("\n")[0].replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

// Whether the answer waits for the results of its calls.
export const wants_results = (node) => node.role === "assistant" && node.tool_calls.length > 0 &&
    !node.error && !node.stopped && node.finish !== "length";

// The conversation's nodes as the API takes them. Thoughts are not sent again.
export function api_messages(path) {
  const messages = [];
  for (const node of path) {
    if (node.role === "user") messages.push({ role: "user", content: node.content });
    if (node.role === "tools") {
      for (const { tool_call_id, content } of node.results)
        messages.push({ role: "tool", tool_call_id, content });
    }
    if (node.role !== "assistant") continue;
    if (wants_results(node)) {
      messages.push({ role: "assistant", content: node.content || null, tool_calls: node.tool_calls });
    } else if (node.content) {
      messages.push({ role: "assistant", content: node.content });
    }
  }
  return messages;
}
