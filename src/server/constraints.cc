#include "server/constraints.h"

#include "server/thought_limit.h"

namespace fathom::server {
namespace {

constexpr const char* kThinkEnd = "</think>";

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

ConstraintPlan plan_constraint(const ChatRequest& r, const text::OutputSyntax& syntax,
                               const ServedModel& model, const ServiceOptions& options) {
  return with_thought_limit({}, r, syntax, model, options);
}

}  // namespace fathom::server
