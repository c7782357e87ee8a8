#include "server/constraints.h"

#include "server/thought_limit.h"

namespace fathom::server {
namespace {

constexpr const char* kThinkEnd = "</think>";

using Spec = text::ConstraintSpec;

Spec::Choice choice_of(ToolChoice::Mode mode) {
  switch (mode) {
    case ToolChoice::Mode::kNone:
      return Spec::Choice::kNone;
    case ToolChoice::Mode::kAuto:
      return Spec::Choice::kAuto;
    case ToolChoice::Mode::kRequired:
      return Spec::Choice::kRequired;
    case ToolChoice::Mode::kNamed:
      return Spec::Choice::kNamed;
  }
  return Spec::Choice::kNone;
}

// Borrows the schemas of the request.
Spec spec_of(const ChatRequest& r, const text::OutputSyntax& syntax) {
  Spec spec;
  spec.syntax = syntax;
  if (r.format.kind == ResponseFormat::Kind::kJsonObject) spec.format = Spec::Format::kJsonObject;
  if (r.format.kind == ResponseFormat::Kind::kJsonSchema) {
    spec.format = Spec::Format::kJsonSchema;
    spec.schema = &r.format.schema;
    spec.schema_rules = r.format.strict ? text::SchemaRules::kOpenAi : text::SchemaRules::kLoose;
    spec.schema_where = r.format.schema_path;
  }
  spec.choice = choice_of(r.tool_choice.mode);
  spec.chosen = r.tool_choice.name;
  spec.parallel_calls = r.parallel_calls;
  spec.tool_rules = text::SchemaRules::kOpenAi;
  spec.tools_where = r.tools_path;
  for (const Tool& t : r.tools)
    spec.tools.push_back({t.name, t.parameters.is_null() ? nullptr : &t.parameters, t.strict});
  return spec;
}

// A cap counts only where the prompt has opened the thoughts.
ConstraintPlan with_thought_limit(ConstraintPlan inner, const ChatRequest& r,
                                  const text::OutputSyntax& syntax, const ServedModel& model,
                                  const ServiceOptions& options) {
  const int64_t limit = r.thinking_tokens.value_or(options.max_thinking_tokens);
  if (limit < 0 || syntax.start != text::OutputSyntax::Start::kThoughts) return inner;
  ThoughtTokens tokens;
  tokens.forced = model.tokenizer.encode(kThinkEnd, text::Special::recognised);
  tokens.end = tokens.forced.size() == 1 ? tokens.forced[0] : -1;
  const int64_t vocab = model.engine.model().config.vocab_size;
  return {[inner = std::move(inner.make), tokens = std::move(tokens), limit, vocab] {
    return std::make_shared<ThoughtLimit>(tokens, limit, vocab, inner());
  }};
}

}  // namespace

void check_schemas(const ChatRequest& r, const text::OutputSyntax& syntax, const ServedModel& model) {
  Spec spec = spec_of(r, syntax);
  if (spec.choice == Spec::Choice::kNone && !spec.tools.empty()) spec.choice = Spec::Choice::kAuto;
  spec.syntax.parse_calls = !spec.tools.empty();
  if (spec.restricts()) model.grammars.compiled(spec);
}

ConstraintPlan plan_constraint(const ChatRequest& r, const text::OutputSyntax& syntax,
                               const ServedModel& model, const ServiceOptions& options) {
  ConstraintPlan plan;
  Spec spec = spec_of(r, syntax);
  if (spec.choice == Spec::Choice::kNone && !spec.tools.empty()) {
    check_schemas(r, syntax, model);
    spec.tools.clear();
  }
  if (spec.restricts())
    plan.make = [compiled = model.grammars.compiled(spec), &grammars = model.grammars] {
      return grammars.start(compiled);
    };
  return with_thought_limit(std::move(plan), r, syntax, model, options);
}

}  // namespace fathom::server
