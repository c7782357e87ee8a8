#include "text/byte_tokenizer.h"

#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/chat_markers.h"

namespace fathom::text {
namespace {

constexpr std::string_view kPad = "<｜▁pad▁｜>";

struct Added {
  std::string_view name;
  bool special;
};

// Those beyond BOS, EOS and padding, in the order of the official ids.
constexpr Added kAdded[] = {
    {"<｜search▁begin｜>", false},   {"<｜search▁end｜>", false},
    {marker::kThinkBegin, false},    {marker::kThinkEnd, false},
    {marker::kFimHole, false},       {marker::kFimBegin, false},
    {marker::kFimEnd, false},        {marker::kUser, false},
    {marker::kAssistant, false},     {"<|EOT|>", true},
    {marker::kCallsBegin, false},    {marker::kCallsEnd, false},
    {marker::kCallBegin, false},     {marker::kCallEnd, false},
    {marker::kOutputsBegin, false},  {marker::kOutputsEnd, false},
    {marker::kOutputBegin, false},   {marker::kOutputEnd, false},
    {marker::kCallSeparator, false},
};
static_assert(kByteTokenizerSize == 3 + 256 + std::size(kAdded));

// How the official tokenizer cuts a text: numbers in threes, runs of ideographs and kana, then words with
// what leads them, runs of signs, line ends and other white space.
constexpr std::string_view kSplitRules[] = {
    "\\p{N}{1,3}",
    "[一-龥\u3040-ゟ゠-ヿ]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
};

// Gives out ids, each once.
class Ids {
 public:
  explicit Ids(int64_t vocab_size) : taken_(static_cast<size_t>(vocab_size)) {}

  // `wanted` if it is in the vocabulary and free.
  std::optional<int64_t> take(std::optional<int64_t> wanted) {
    if (!wanted || *wanted < 0 || *wanted >= static_cast<int64_t>(taken_.size()) ||
        taken_[static_cast<size_t>(*wanted)])
      return std::nullopt;
    taken_[static_cast<size_t>(*wanted)] = true;
    return wanted;
  }
  int64_t next() {
    while (!take(next_)) ++next_;
    return next_;
  }

 private:
  std::vector<bool> taken_;
  int64_t next_ = 0;
};

OrderedJson added_token(std::string_view name, int64_t id, bool special) {
  // The official file calls tokens that are not special "normalized", and <|EOT|> as well; without a
  // normalizer it means nothing.
  return {{"id", id},        {"content", name},        {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", !special}, {"special", special}};
}

OrderedJson byte_level(bool add_prefix_space, bool trim_offsets, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", trim_offsets},
          {"use_regex", use_regex}};
}

OrderedJson pre_tokenizer() {
  OrderedJson steps = OrderedJson::array();
  for (const std::string_view rule : kSplitRules)
    steps.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", rule}}}, {"behavior", "Isolated"}, {"invert", false}});
  steps.push_back(byte_level(false, true, false));
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

std::string tokenizer_json(const ByteTokenizerIds& wanted) {
  Ids ids(wanted.vocab_size);
  const std::pair<std::string_view, std::optional<int64_t>> specials[] = {
      {marker::kBos, ids.take(wanted.bos.value_or(0))},
      {marker::kEos, ids.take(wanted.eos.value_or(1))},
      {kPad, ids.take(wanted.pad.value_or(2))}};
  std::map<int64_t, std::string> vocabulary;  // everything is in it, so that readers give every token its id
  OrderedJson added = OrderedJson::array();
  for (const auto& [name, id] : specials) {
    const int64_t given = id ? *id : ids.next();
    vocabulary[given] = name;
    added.push_back(added_token(name, given, true));
  }
  // In the order of the characters that stand for them, as the official file has it.
  std::map<std::string, int64_t> bytes;
  for (int b = 0; b < 256; ++b) bytes[byte_symbols(std::string(1, static_cast<char>(b)))] = 0;
  for (auto& [symbol, id] : bytes) vocabulary[id = ids.next()] = symbol;
  for (const Added& token : kAdded) {
    const int64_t id = ids.next();
    vocabulary[id] = token.name;
    added.push_back(added_token(token.name, id, token.special));
  }
  OrderedJson words = OrderedJson::object();
  for (const auto& [id, word] : vocabulary) words[word] = id;
  const OrderedJson document = {{"version", "1.0"},
                                {"truncation", nullptr},
                                {"padding", nullptr},
                                {"added_tokens", added},
                                {"normalizer", {{"type", "Sequence"}, {"normalizers", OrderedJson::array()}}},
                                {"pre_tokenizer", pre_tokenizer()},
                                {"post_processor", byte_level(true, false, true)},
                                {"decoder", byte_level(true, true, true)},
                                {"model",
                                 {{"type", "BPE"},
                                  {"dropout", nullptr},
                                  {"unk_token", nullptr},
                                  {"continuing_subword_prefix", nullptr},
                                  {"end_of_word_suffix", nullptr},
                                  {"fuse_unk", false},
                                  {"byte_fallback", false},
                                  {"vocab", words},
                                  {"merges", OrderedJson::array()}}}};
  return document.dump(2) + "\n";
}

std::string tokenizer_config_json(const ByteTokenizerIds& ids) {
  const auto token = [](std::string_view name) -> OrderedJson {
    return {{"__type", "AddedToken"}, {"content", name}, {"lstrip", false},
            {"normalized", true},     {"rstrip", false}, {"single_word", false}};
  };
  const OrderedJson document = {{"add_bos_token", true},
                                {"add_eos_token", false},
                                {"bos_token", token(marker::kBos)},
                                {"clean_up_tokenization_spaces", false},
                                {"eos_token", token(marker::kEos)},
                                {"legacy", true},
                                {"model_max_length", ids.model_max_length},
                                {"pad_token", token(marker::kEos)},
                                {"sp_model_kwargs", OrderedJson::object()},
                                {"unk_token", nullptr},
                                {"tokenizer_class", "LlamaTokenizerFast"},
                                {"chat_template", byte_tokenizer_template()}};
  return document.dump(2) + "\n";
}

}  // namespace

ByteTokenizerFiles byte_tokenizer_files(const ByteTokenizerIds& ids) {
  FATHOM_CHECK(ids.vocab_size >= kByteTokenizerSize);
  return {tokenizer_json(ids), tokenizer_config_json(ids)};
}

}  // namespace fathom::text
