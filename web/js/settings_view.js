// The settings dialog. Nothing changes until it is saved, and only a valid form can be.
import { open_dialog } from "./dialogs.js";
import { h, unique_id } from "./dom.js";
import {
  kDefaults, kExampleSchema, kExampleTools, kNumbers, number_problem, schema_problem, tools_problem,
} from "./settings.js";

// A labelled control with a hint and room for a problem.
function field(label, control, hint) {
  const id = unique_id("setting");
  control.id = id;
  const hint_id = `${id}-hint`;
  const problem_id = `${id}-problem`;
  control.setAttribute("aria-describedby", hint ? `${hint_id} ${problem_id}` : problem_id);
  const problem = h("p", { id: problem_id, class: "problem" });
  const element = h("div", { class: "field" }, h("label", { for: id }, label), control,
    hint ? h("p", { id: hint_id, class: "quiet" }, hint) : null, problem);
  const set_problem = (text) => {
    problem.textContent = text;
    control.setAttribute("aria-invalid", String(text !== ""));
  };
  return { element, control, set_problem };
}

function text_area(name, value, rows, code) {
  const area =
      h("textarea", { name, rows, class: code ? "code-input" : null, spellcheck: code ? "false" : null });
  area.value = value;
  return area;
}

function select(name, value, options) {
  return h(
      "select", { name },
      options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
}

function example_button(area, text, name) {
  const button = h("button", { type: "button", class: "small" }, "Insert an example");
  button.setAttribute("aria-label", `Insert an example ${name}`);
  button.addEventListener("click", () => {
    area.value = text;
    area.focus();
  });
  return button;
}

const group = (title, ...children) => h("fieldset", {}, h("legend", {}, title), ...children);

function number_fields(settings) {
  return kNumbers.map((spec) => {
    const input = h("input", {
      name: spec.name, value: settings[spec.name], inputmode: spec.step === 1 ? "numeric" : "decimal",
      autocomplete: "off", placeholder: "model’s own",
    });
    return { spec, ...field(spec.label, input, spec.hint) };
  });
}

function build_form(settings, model) {
  const numbers = number_fields(settings);
  const stop = field(
      "Stop texts", text_area("stop", settings.stop, 2, true), "One a line; the answer ends before them.");
  const tools = field("Functions", text_area("tools", settings.tools, 6, true),
    "A JSON list of functions the model may call. You enter their results.");
  const format = field("Format", select("format", settings.format, [
    ["text", "Text"], ["json_object", "JSON"], ["json_schema", "JSON of a schema"],
  ]));
  const schema =
      field("Schema", text_area("schema", settings.schema, 5, true), "JSON Schema the answer must satisfy.");
  const schema_part = h("div", {}, schema.element, example_button(schema.control, kExampleSchema, "schema"));
  const toggle_schema = () => (schema_part.hidden = format.control.value !== "json_schema");
  format.control.addEventListener("change", toggle_schema);
  toggle_schema();
  const experts = h("input", { type: "checkbox", name: "record_experts", checked: settings.record_experts });
  const choice = field("The model", select("tool_choice", settings.tool_choice, [
    ["auto", "may call tools"], ["required", "must call a tool"], ["none", "must not call tools"],
  ]));
  const example = example_button(tools.control, kExampleTools, "tool");
  const tool_part = group("Tools", tools.element, example, choice.element);
  const expert_part = group("Experts",
    h("label", { class: "check" }, experts, "Record which experts each token of the answer uses"));
  const form = h("form", { id: unique_id("form"), novalidate: true },
    group("Instructions", field("System prompt", text_area("system", settings.system, 3, false)).element),
    group("Sampling", h("div", { class: "grid" }, numbers.map(({ element }) => element)), stop.element),
    group("Answer", format.element, schema_part),
    model && !model.fathom.tools ? null : tool_part,
    model && !model.fathom.experts ? null : expert_part);
  return { form, numbers, tools, format, schema };
}

// Marks the problems; returns the first control that has one.
function check({ numbers, tools, format, schema }) {
  const checks = [
    ...numbers.map((one) => [one, number_problem(one.spec, one.control.value)]),
    [schema, schema_problem(format.control.value, schema.control.value)],
    [tools, tools_problem(tools.control.value)],
  ];
  for (const [one, problem] of checks) one.set_problem(problem);
  return checks.find(([, problem]) => problem)?.[0].control;
}

// on_save(settings) is called with a whole new set. `focus` names the control to start at.
export function settings_dialog(settings, model, on_save, focus = "system") {
  const parts = build_form(settings, model);
  const { form } = parts;
  const reset = h("button", { type: "button" }, "Reset all");
  const save = h("button", { class: "primary", form: form.id }, "Save");
  const dialog = open_dialog("Settings", form, { wide: true, foot: [reset, save] });
  reset.addEventListener("click", () => {
    dialog.close();
    on_save({ ...kDefaults, thinking: settings.thinking });
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = check(parts);
    if (wrong) return wrong.focus();
    const changed = { ...settings };
    for (const control of form.elements) {
      if (control.name) changed[control.name] = control.type === "checkbox" ? control.checked : control.value;
    }
    on_save(changed);
    dialog.close();
  });
  form.elements[focus]?.focus();
}
