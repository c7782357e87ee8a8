// What a request restricts its answer to (response format, tools that must be called or whose arguments must
// fit), applied token by token.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "text/json_schema.h"
#include "text/output_parser.h"
#include "text/token_mask.h"
#include "text/tokenizer.h"

namespace fathom::text {

struct ConstraintSpec {
  enum class Format { kText, kJsonObject, kJsonSchema };
  enum class Choice { kNone, kAuto, kRequired, kNamed };
  struct Tool {
    std::string name;
    // JSON schema of the arguments; nullptr: an object without properties. Not owned.
    const nlohmann::ordered_json* parameters = nullptr;
    bool strict = false;  // else the arguments are any JSON object
  };

  OutputSyntax syntax;  // of the request's output: whether thoughts are open, how calls are written
  Format format = Format::kText;
  const nlohmann::ordered_json* schema = nullptr;  // kJsonSchema; not owned
  SchemaRules schema_rules = SchemaRules::kLoose;
  std::vector<Tool> tools;
  SchemaRules tool_rules = SchemaRules::kDeepSeek;  // for strict ones
  Choice choice = Choice::kNone;
  std::string chosen;                                               // kNamed: the tool
  bool parallel_calls = true;                                       // more than one call may come
  std::string schema_where = "response_format.json_schema.schema";  // in errors
  std::string tools_where = "tools";  // the same; "[2].function.parameters" follows

  // Whether anything is restricted: text with tools that may be called, none of them strict, is not.
  bool restricts() const;
  // Equal for two specifications exactly if the same grammar comes of them: for a cache of compiled ones.
  std::string key() const;
};

// A specification made ready for one vocabulary. Immutable but for a cache of masks; any number of requests
// and threads may share it.
class CompiledConstraint {
 public:
  // `eos` are the tokens that may come where the output may end. An Error names the part of the request and
  // the keyword that is not supported. Bounded in time (about a second at most) and memory for any schema.
  static Result<std::shared_ptr<const CompiledConstraint>> compile(const ConstraintSpec& spec,
                                                                   const Tokenizer& tokenizer,
                                                                   std::shared_ptr<const TokenTrie> trie,
                                                                   std::span<const int32_t> eos);
  const Tokenizer& tokenizer() const { return tokenizer_; }
  std::span<const int32_t> eos() const { return eos_; }
  const std::shared_ptr<TokenMaskCache>& masks() const { return masks_; }

 private:
  explicit CompiledConstraint(Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}
  Tokenizer tokenizer_;
  std::vector<int32_t> eos_;
  std::shared_ptr<TokenMaskCache> masks_;
};

// The grammar of a specification. An Error as above.
Result<std::shared_ptr<const Grammar>> constraint_grammar(const ConstraintSpec& spec,
                                                          const Tokenizer& tokenizer);

// The state of one request. One thread at a time; allocates nothing once it is warm.
class Constraint {
 public:
  explicit Constraint(std::shared_ptr<const CompiledConstraint> compiled);

  // Any token may come next, end of sequence and ids without a token included: a mask is not needed.
  bool unconstrained() const { return matcher_.unconstrained(); }
  // The tokens that may come next: bit t % 64 of word t / 64. Never empty; after the end of the output, the
  // end-of-sequence tokens. At least vocab_size() bits; those
  // beyond it are 0. Valid until the next call of accept() or rollback().
  std::span<const uint64_t> allowed();
  // The next token; false, and no change, if it is not allowed. End-of-sequence tokens end the output where
  // it may end; nothing is accepted after that.
  bool accept(int32_t token);
  // Takes back the last `count` accepted tokens. REQUIRES: count <= rollback_limit(), which is at least
  // GrammarMatcher::kHistory once as many were accepted.
  void rollback(size_t count);
  size_t rollback_limit() const { return matcher_.rollback_limit() + (finished_ ? 1 : 0); }
  bool finished() const { return finished_; }
  // The output would be complete without another token.
  bool can_end() const { return matcher_.can_end(); }

 private:
  std::shared_ptr<const CompiledConstraint> compiled_;
  GrammarMatcher matcher_;
  TokenMask mask_;
  std::vector<uint64_t> bits_;
  bool fresh_ = false;  // bits_ are for the present state
  bool finished_ = false;
};

}  // namespace fathom::text
