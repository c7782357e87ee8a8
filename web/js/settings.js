// Sampling and other settings: what they are, where they are kept, how they become request fields.

// Empty means: the model's own value. step "any" takes fractions, 1 whole numbers.
export const kNumbers = [
  { name: "temperature", label: "Temperature", min: 0, max: 2, step: "any", hint: "0 picks the likeliest token" },
  { name: "top_p", label: "Top p", min: 0, max: 1, step: "any", hint: "smallest set with this probability" },
  { name: "top_k", label: "Top k", min: 0, max: 1000000, step: 1, hint: "this many likeliest tokens; 0: all" },
  { name: "min_p", label: "Min p", min: 0, max: 1, step: "any", hint: "relative to the likeliest token" },
  { name: "frequency_penalty", label: "Frequency penalty", min: -2, max: 2, step: "any", hint: "per occurrence" },
  { name: "presence_penalty", label: "Presence penalty", min: -2, max: 2, step: "any", hint: "once a token occurred" },
  { name: "max_tokens", label: "Most tokens", min: 1, max: 10000000, step: 1, hint: "thoughts included" },
  { name: "seed", label: "Seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1, hint: "same seed, same answer" },
];

export const kDefaults = Object.freeze({
  system: "", stop: "", format: "text", schema: "", tools: "", tool_choice: "auto", thinking: true,
  record_experts: true, ...Object.fromEntries(kNumbers.map(({ name }) => [name, ""])),
});

export const kExampleTools = JSON.stringify(
  [{
    type: "function",
    function: {
      name: "get_weather",
      description: "Current weather in a city",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  }], null, 2);

export const kExampleSchema = JSON.stringify(
  { type: "object", properties: { answer: { type: "string" } }, required: ["answer"], additionalProperties: false },
  null, 2);

const kName = "fathom.settings";

export function load_settings() {
  const settings = { ...kDefaults };
  try {
    const saved = JSON.parse(localStorage.getItem(kName) || "{}");
    for (const name of Object.keys(kDefaults)) {
      if (typeof saved[name] === typeof kDefaults[name]) settings[name] = saved[name];
    }
  } catch {
    // Broken or forbidden storage: the defaults serve.
  }
  return settings;
}

export function save_settings(settings) {
  try {
    localStorage.setItem(kName, JSON.stringify(settings));
  } catch {
    // They still hold until the page closes.
  }
}

// Each returns what is wrong, or "".
export function number_problem({ label, min, max, step }, text) {
  if (text.trim() === "") return "";
  const value = Number(text);
  if (!Number.isFinite(value)) return `${label} is not a number.`;
  if (step === 1 && !Number.isSafeInteger(value)) return `${label} must be a whole number.`;
  return value < min || value > max ? `${label} must lie between ${min} and ${max}.` : "";
}

export function tools_problem(text) {
  if (text.trim() === "") return "";
  let tools;
  try {
    tools = JSON.parse(text);
  } catch (error) {
    return `The tools are not JSON: ${error.message}`;
  }
  if (!Array.isArray(tools)) return "The tools must be a JSON list, […].";
  for (const [index, tool] of tools.entries()) {
    const name = tool?.function?.name;
    if (tool?.type !== "function" || typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) {
      return `Tool ${index + 1} must be {"type": "function", "function": {"name": …}}; ` +
        "names have letters, digits, _ and -.";
    }
  }
  return "";
}

export function schema_problem(format, text) {
  if (format !== "json_schema") return "";
  try {
    const schema = JSON.parse(text);
    return schema && typeof schema === "object" && !Array.isArray(schema) ? "" : "The schema must be a JSON object.";
  } catch (error) {
    return `The schema is not JSON: ${error.message}`;
  }
}

export const tool_list = (settings) => (settings.tools.trim() ? JSON.parse(settings.tools) : []);
