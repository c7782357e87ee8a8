#include "text/tokenizer_parts.h"

namespace fathom::text {
namespace {

constexpr const char* kFamilyRemedy = "only byte-level BPE as DeepSeek publishes it is supported";

// The checks of one document. Each returns success or the Error for the first key that is not as it must be.
class Parts {
 public:
  Parts(const Json& root, const std::string& where, TokenizerFile& file)
      : root_(root), where_(where), file_(file) {}

  Status read() {
    if (!root_.is_object()) return bad("", "is not a JSON object");
    for (const auto step : {&Parts::model, &Parts::normalizer, &Parts::pre_tokenizer, &Parts::decoder,
                            &Parts::post_processor, &Parts::added_tokens})
      if (Status s = (this->*step)(); !s) return s;
    return Ok{};
  }

 private:
  Error bad(std::string key, std::string problem) const {
    return {where_, std::move(key), std::move(problem), kTokenizerRemedy};
  }
  Error unsupported(std::string key, const std::string& what) const {
    return {where_, std::move(key), what + " is not supported", kFamilyRemedy};
  }
  // The member, or null when it is absent.
  static const Json& member(const Json& object, const char* name) {
    static const Json kNull;
    const auto found = object.find(name);
    return found == object.end() ? kNull : *found;
  }
  static std::string type_of(const Json& component) {
    if (!component.is_object()) return {};
    const Json& type = member(component, "type");
    return type.is_string() ? type.get<std::string>() : std::string{};
  }
  static bool is(const Json& value, bool expected) {
    return value.is_boolean() && value.get<bool>() == expected;
  }

  Status model() {
    const Json& model = member(root_, "model");
    if (!model.is_object()) return bad("model", "is missing");
    if (type_of(model) != "BPE") return unsupported("model.type", quotable("\"" + type_of(model) + "\""));
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      const Json& affix = member(model, name);
      if (!affix.is_null() && affix != "") return unsupported(std::string("model.") + name, "a value");
    }
    const Json& dropout = member(model, "dropout");
    if (!dropout.is_null() && dropout != 0) return unsupported("model.dropout", "random encoding");
    for (const char* name : {"byte_fallback", "ignore_merges", "fuse_unk"}) {
      const Json& flag = member(model, name);
      if (!flag.is_null() && !flag.is_boolean())
        return bad(std::string("model.") + name, "is not true or false");
    }
    if (is(member(model, "byte_fallback"), true)) return unsupported("model.byte_fallback", "true");
    file_.ignore_merges = is(member(model, "ignore_merges"), true);
    return Ok{};
  }

  Status normalizer() {
    const Json& normalizer = member(root_, "normalizer");
    if (normalizer.is_null()) return Ok{};
    if (type_of(normalizer) == "Sequence") {
      const Json& list = member(normalizer, "normalizers");
      if (list.is_array() && list.empty()) return Ok{};
    }
    return unsupported("normalizer", "anything but an empty one");
  }

  Status pre_tokenizer() {
    const Json& sequence = member(root_, "pre_tokenizer");
    const Json& list = member(sequence.is_object() ? sequence : root_, "pretokenizers");
    if (type_of(sequence) != "Sequence" || !list.is_array() || list.empty())
      return unsupported("pre_tokenizer", "anything but a Sequence of Split rules and ByteLevel");
    for (size_t i = 0; i < list.size(); ++i) {
      const std::string key = "pre_tokenizer.pretokenizers[" + std::to_string(i) + "]";
      const bool last = i + 1 == list.size();
      if (Status s = last ? byte_level(list[i], key) : split_rule(list[i], key); !s) return s;
    }
    return Ok{};
  }

  Status byte_level(const Json& part, const std::string& key) const {
    if (type_of(part) != "ByteLevel") return unsupported(key, "a last step that is not ByteLevel");
    if (!is(member(part, "add_prefix_space"), false))
      return unsupported(key + ".add_prefix_space", "anything but false");
    if (!is(member(part, "use_regex"), false)) return unsupported(key + ".use_regex", "anything but false");
    return Ok{};
  }

  Status split_rule(const Json& part, const std::string& key) {
    if (type_of(part) != "Split") return unsupported(key, "a step that is not Split");
    if (member(part, "behavior") != "Isolated")
      return unsupported(key + ".behavior", "anything but \"Isolated\"");
    const Json& invert = member(part, "invert");
    if (!invert.is_null() && !is(invert, false)) return unsupported(key + ".invert", "true");
    const Json& pattern = member(part, "pattern");
    const Json& regex = member(pattern.is_object() ? pattern : part, "Regex");
    if (!regex.is_string()) return unsupported(key + ".pattern", "anything but {\"Regex\": text}");
    file_.rules.push_back(regex.get<std::string>());
    file_.rule_keys.push_back(key + ".pattern");
    return Ok{};
  }

  Status decoder() {
    if (type_of(member(root_, "decoder")) != "ByteLevel")
      return unsupported("decoder", "anything but ByteLevel");
    return Ok{};
  }

  // What stands here only adds special tokens around a whole text, which encode() never does.
  Status post_processor() {
    const Json& processor = member(root_, "post_processor");
    const std::string type = type_of(processor);
    file_.adds_bos = type == "TemplateProcessing" || type == "Sequence";
    if (processor.is_null() || type == "ByteLevel" || file_.adds_bos) return Ok{};
    return unsupported("post_processor", quotable("\"" + type + "\""));
  }

  Status added_tokens() {
    const Json& list = member(root_, "added_tokens");
    if (list.is_null()) return Ok{};
    if (!list.is_array()) return bad("added_tokens", "is not a list");
    if (list.size() > kMaxVocabulary) return bad("added_tokens", "has too many entries");
    for (size_t i = 0; i < list.size(); ++i)
      if (Status s = added_token(list[i], "added_tokens[" + std::to_string(i) + "]"); !s) return s;
    return Ok{};
  }

  Status added_token(const Json& entry, const std::string& key) {
    if (!entry.is_object()) return bad(key, "is not an object");
    const Json& content = member(entry, "content");
    const Json& id = member(entry, "id");
    if (!content.is_string() || content.get_ref<const std::string&>().empty())
      return bad(key + ".content", "is missing or empty");
    if (content.get_ref<const std::string&>().size() > kMaxAddedBytes)
      return bad(key + ".content", "is longer than " + std::to_string(kMaxAddedBytes) + " bytes");
    if (!id.is_number_integer() || id < 0 || id >= kMaxVocabulary)
      return bad(key + ".id", "is not a number from 0 to " + std::to_string(kMaxVocabulary - 1));
    for (const char* name : {"single_word", "lstrip", "rstrip"}) {
      const Json& flag = member(entry, name);
      if (!flag.is_null() && !is(flag, false)) return unsupported(key + "." + name, "true");
    }
    const Json& special = member(entry, "special");
    const Json& normalized = member(entry, "normalized");
    for (const Json* flag : {&special, &normalized})
      if (!flag->is_null() && !flag->is_boolean()) return bad(key, "has a flag that is not true or false");
    // Where `normalized` is absent the library takes "not special".
    const bool is_special = is(special, true);
    file_.added.push_back({content.get<std::string>(), id.get<int32_t>(), is_special,
                           normalized.is_null() ? !is_special : is(normalized, true)});
    return Ok{};
  }

  const Json& root_;
  const std::string& where_;
  TokenizerFile& file_;
};

}  // namespace

Status read_tokenizer_parts(const Json& root, const std::string& where, TokenizerFile& file) {
  return Parts(root, where, file).read();
}

}  // namespace fathom::text
