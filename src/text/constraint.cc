#include "text/constraint.h"

#include <algorithm>

#include "base/check.h"
#include "base/json.h"

namespace fathom::text {

bool ConstraintSpec::restricts() const {
  if (format != Format::kText) return true;
  if (choice == Choice::kRequired || choice == Choice::kNamed) return true;
  return choice == Choice::kAuto && std::ranges::any_of(tools, &Tool::strict);
}

std::string ConstraintSpec::key() const {
  OrderedJson all = OrderedJson::array();
  all.push_back({static_cast<int>(syntax.start), static_cast<int>(syntax.calls), syntax.think_as_text,
                 syntax.calls_as_text, static_cast<int>(format), static_cast<int>(schema_rules),
                 static_cast<int>(tool_rules), static_cast<int>(choice), parallel_calls, chosen});
  if (format == Format::kJsonSchema && schema != nullptr) all.push_back(*schema);
  if (choice != Choice::kNone) {
    for (const Tool& tool : tools) {
      all.push_back({tool.name, tool.strict});
      if (tool.strict && tool.parameters != nullptr) all.push_back(*tool.parameters);
    }
  }
  return json_text(all);
}

Result<std::shared_ptr<const CompiledConstraint>> CompiledConstraint::compile(
    const ConstraintSpec& spec, const Tokenizer& tokenizer, std::shared_ptr<const TokenTrie> trie,
    std::span<const int32_t> eos) {
  FATHOM_CHECK(!eos.empty());
  auto grammar = constraint_grammar(spec, tokenizer);
  if (!grammar) return grammar.error();
  std::shared_ptr<CompiledConstraint> out(new CompiledConstraint(tokenizer));
  out->eos_.assign(eos.begin(), eos.end());
  out->masks_ = std::make_shared<TokenMaskCache>(std::move(*grammar), std::move(trie));
  TokenMask(out->masks_).prepare();
  return std::shared_ptr<const CompiledConstraint>(std::move(out));
}

Constraint::Constraint(std::shared_ptr<const CompiledConstraint> compiled)
    : compiled_(std::move(compiled)),
      matcher_(compiled_->masks()->shared_grammar()),
      mask_(compiled_->masks()) {
  int32_t ids = compiled_->masks()->trie().ids();
  for (const int32_t id : compiled_->eos()) ids = std::max(ids, id + 1);
  bits_.resize((static_cast<size_t>(ids) + 63) / 64);
}

std::span<const uint64_t> Constraint::allowed() {
  if (fresh_) return bits_;
  if (finished_) {
    std::ranges::fill(bits_, uint64_t{0});
  } else {
    mask_.compute(matcher_, bits_);
  }
  for (const int32_t id : compiled_->eos()) {
    uint64_t& word = bits_[static_cast<size_t>(id) / 64];
    const uint64_t bit = uint64_t{1} << (id % 64);
    word = can_end() ? word | bit : word & ~bit;
  }
  fresh_ = true;
  return bits_;
}

bool Constraint::accept(int32_t token) {
  if (finished_) return false;
  if (std::ranges::find(compiled_->eos(), token) != compiled_->eos().end()) {
    if (!can_end()) return false;
    finished_ = true;
    fresh_ = false;
    return true;
  }
  const Tokenizer& tokenizer = compiled_->tokenizer();
  const std::string_view bytes =
      tokenizer.is_added(token) ? std::string_view() : tokenizer.token_bytes(token);
  const bool accepted = bytes.empty() ? matcher_.accept_token(token, true) : matcher_.accept(bytes);
  fresh_ = fresh_ && !accepted;
  return accepted;
}

void Constraint::rollback(size_t count) {
  FATHOM_CHECK(count <= rollback_limit());
  if (count == 0) return;
  if (finished_) --count;
  finished_ = false;
  fresh_ = false;
  matcher_.rollback(count);
}

}  // namespace fathom::text
