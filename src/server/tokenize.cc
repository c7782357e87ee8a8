#include "server/tokenize.h"

#include "server/chat_parse.h"
#include "server/fields.h"
#include "server/plan.h"

namespace fathom::server {
namespace {

// Other servers' names for the same field.
constexpr const char* kTextKeys[] = {"prompt", "text", "content", "input"};

std::vector<int32_t> ids_of(const Fields& f, const ServedModel& model) {
  for (const char* key : kTextKeys) {
    const auto text = f.text(key);
    if (!text) continue;
    if (f.flag("add_special_tokens").value_or(true)) return raw_prompt(*text, model.tokenizer);
    return model.tokenizer.encode(*text, text::Special::recognised);
  }
  if (f.find("messages") == nullptr) throw missing("prompt");
  OrderedJson chat = f.json();
  if (f.find("model") == nullptr) chat["model"] = model.name;
  return chat_prompt(parse_chat_json(chat), model).ids;
}

}  // namespace

OrderedJson tokenize(std::string_view body, const ServedModel& model) {
  const OrderedJson json = parse_body(body);
  const std::vector<int32_t> ids = ids_of(Fields(json, ""), model);
  return {{"tokens", ids}, {"count", ids.size()}, {"max_model_len", model.engine.context_tokens()}};
}

OrderedJson detokenize(std::string_view body, const ServedModel& model) {
  const OrderedJson json = parse_body(body);
  const Fields f(json, "");
  const OrderedJson& list = f.required_array("tokens");
  std::vector<int32_t> ids;
  ids.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string path = element_path("tokens", i);
    if (!list[i].is_number()) throw wrong_type(path, "the id of a token");
    const auto id = whole_number(list[i]);
    if (!id || *id < 0 || *id > INT32_MAX || !model.tokenizer.has_token(static_cast<int32_t>(*id)))
      throw bad_value(path, "is not the id of a token");
    ids.push_back(static_cast<int32_t>(*id));
  }
  return {{"prompt", model.tokenizer.decode(ids)}};
}

}  // namespace fathom::server
