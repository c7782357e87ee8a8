#include "text/tokenizer_config.h"

#include "base/json.h"

namespace fathom::text {
namespace {

constexpr const char* kRemedy = "restore the tokenizer_config.json published with the model";

Result<std::optional<std::string>> token_of(const Json& root, const char* name, const std::string& where) {
  const auto found = root.find(name);
  if (found == root.end() || found->is_null()) return std::optional<std::string>{};
  const Json* content = &*found;
  if (content->is_object()) {
    const auto inner = content->find("content");
    if (inner != content->end()) content = &*inner;
  }
  if (!content->is_string())
    return Error{where, name, "is neither a text nor an object with a text \"content\"", kRemedy};
  return std::optional<std::string>{content->get<std::string>()};
}

}  // namespace

Result<TokenizerConfig> read_tokenizer_config(std::string_view json, const std::string& where) {
  auto root = parse_json(json, where);
  if (!root) return root.error();
  if (!root->is_object()) return Error{where, "", "is not a JSON object", kRemedy};
  TokenizerConfig config;
  const struct {
    const char* name;
    std::optional<std::string>* place;
  } tokens[] = {{"bos_token", &config.bos}, {"eos_token", &config.eos}, {"pad_token", &config.pad}};
  for (const auto& t : tokens) {
    auto token = token_of(*root, t.name, where);
    if (!token) return token.error();
    *t.place = std::move(*token);
  }
  const auto add_bos = root->find("add_bos_token");
  if (add_bos != root->end() && !add_bos->is_null()) {
    if (!add_bos->is_boolean()) return Error{where, "add_bos_token", "is not true or false", kRemedy};
    config.add_bos = add_bos->get<bool>();
  }
  return config;
}

}  // namespace fathom::text
