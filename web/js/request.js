// The body of a chat completion request from messages, settings and what the model can do.
import { kNumbers, tool_list } from "./settings.js";

// "switch" (the person chooses), "always" or "never".
export function thinking_mode(model) {
  const { thinking, non_thinking } = model.fathom;
  if (thinking && non_thinking) return "switch";
  return thinking ? "always" : "never";
}

export function thinks(model, settings) {
  const mode = thinking_mode(model);
  return mode === "always" || (mode === "switch" && settings.thinking);
}

export function chat_request(model, settings, messages) {
  const body = {
    model: model.id,
    messages: [...messages],
    stream: true,
    stream_options: { include_usage: true }
  };
  if (settings.system.trim()) body.messages.unshift({ role: "system", content: settings.system });
  body.thinking = { type: thinks(model, settings) ? "enabled" : "disabled" };
  for (const { name } of kNumbers) {
    if (settings[name].trim() !== "") body[name] = Number(settings[name]);
  }
  const stop = settings.stop.split("\n").filter((line) => line !== "");
  if (stop.length) body.stop = stop;
  const tools = model.fathom.tools ? tool_list(settings) : [];
  if (tools.length) {
    body.tools = tools;
    body.tool_choice = settings.tool_choice;
  }
  if (settings.format === "json_object") body.response_format = { type: "json_object" };
  if (settings.format === "json_schema") {
    const json_schema = { name: "answer", strict: true, schema: JSON.parse(settings.schema) };
    body.response_format = { type: "json_schema", json_schema };
  }
  if (settings.record_experts && model.fathom.experts) body.fathom = { experts: true };
  return body;
}
