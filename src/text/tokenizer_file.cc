#include "text/tokenizer_file.h"

#include "base/json.h"
#include "text/tokenizer_parts.h"

namespace fathom::text {
namespace {

// Vocabulary and merges, which are nearly all of the file, go straight into flat arrays; the rest becomes a
// small tree.
class Reader final : public JsonEvents {
 public:
  Reader(const std::string& where, TokenizerFile& file) : where_(where), file_(file) {}

  bool key(std::string& name) override {
    if (mode_ == Mode::vocabulary) {
      if (file_.vocabulary.size() == kMaxVocabulary) return fail("model.vocab", "has too many entries");
      file_.vocabulary.push_back({append(name), static_cast<uint32_t>(name.size()), -1});
      return true;
    }
    if (open_.back()->contains(name)) return fail(quotable(name), "the key appears twice");
    key_ = std::move(name);
    return true;
  }

  bool integer(int64_t v) override {
    if (mode_ == Mode::vocabulary) {
      if (v < 0 || v >= static_cast<int64_t>(kMaxVocabulary))
        return fail("model.vocab", "the id " + std::to_string(v) + " is not from 0 to " +
                                       std::to_string(kMaxVocabulary - 1));
      file_.vocabulary.back().id = static_cast<int32_t>(v);
      return true;
    }
    return put(v);
  }

  bool string(std::string& v) override {
    if (mode_ == Mode::merges) return merge_line(v);
    if (mode_ == Mode::merge_pair) return merge_part(v);
    return put(std::move(v));
  }

  bool number(double v) override { return put(v); }
  bool boolean(bool v) override { return put(v); }
  bool null() override { return put(nullptr); }

  bool begin_object() override {
    if (mode_ == Mode::tree && in_model() && key_ == "vocab") {
      if (std::exchange(vocabulary_seen_, true)) return fail("model.vocab", "the key appears twice");
      mode_ = Mode::vocabulary;
      return true;
    }
    return open(Json::object());
  }
  bool begin_array() override {
    if (mode_ == Mode::tree && in_model() && key_ == "merges") {
      if (std::exchange(merges_seen_, true)) return fail("model.merges", "the key appears twice");
      mode_ = Mode::merges;
      return true;
    }
    if (mode_ == Mode::merges) {
      mode_ = Mode::merge_pair;
      parts_ = 0;
      return true;
    }
    return open(Json::array());
  }
  bool end_object() override {
    if (mode_ == Mode::vocabulary)
      mode_ = Mode::tree;
    else
      open_.pop_back();
    return true;
  }
  bool end_array() override {
    if (mode_ == Mode::merge_pair) {
      mode_ = Mode::merges;
      return parts_ == 2 || fail(merge_key(-1), "is not a pair of tokens");
    }
    if (mode_ == Mode::merges)
      mode_ = Mode::tree;
    else
      open_.pop_back();
    return true;
  }

  Status finish(Status parsed) {
    if (!error_.problem.empty()) return error_;
    if (!parsed) return parsed;
    if (Status s = read_tokenizer_parts(root_, where_, file_); !s) return s;
    if (!vocabulary_seen_) return error("model.vocab", "is missing");
    if (!merges_seen_) return error("model.merges", "is missing");
    return Ok{};
  }

 private:
  enum class Mode { tree, vocabulary, merges, merge_pair };

  Error error(std::string key, std::string problem) const {
    return {where_, std::move(key), std::move(problem), kTokenizerRemedy};
  }
  bool fail(std::string key, std::string problem) {
    error_ = error(std::move(key), std::move(problem));
    return false;
  }
  bool in_model() const { return open_.size() == 2 && root_.is_object() && open_.back() == model_; }
  std::string merge_key(int shift) const {
    return "model.merges[" + std::to_string(static_cast<int64_t>(file_.merges.size()) + shift) + "]";
  }

  uint32_t append(std::string_view text) {
    const auto offset = static_cast<uint32_t>(file_.strings.size());
    file_.strings += text;
    return offset;
  }

  bool merge_line(const std::string& line) {
    const size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
      return fail(merge_key(0), "is not two tokens with one space between");
    if (file_.merges.size() == kMaxMerges) return fail("model.merges", "has too many entries");
    const uint32_t offset = append(std::string_view(line).substr(0, space));
    append(std::string_view(line).substr(space + 1));
    file_.merges.push_back(
        {offset, static_cast<uint32_t>(space), static_cast<uint32_t>(line.size() - space - 1)});
    return true;
  }
  bool merge_part(const std::string& part) {
    if (file_.merges.size() == kMaxMerges) return fail("model.merges", "has too many entries");
    if (parts_ == 0) file_.merges.push_back({append(part), static_cast<uint32_t>(part.size()), 0});
    if (parts_ == 1) append(part), file_.merges.back().right = static_cast<uint32_t>(part.size());
    return ++parts_ <= 2 || fail(merge_key(-1), "is not a pair of tokens");
  }

  bool put(Json value) { return mode_ == Mode::tree ? (place(std::move(value)), true) : misplaced(); }
  bool open(Json container) {
    if (mode_ != Mode::tree) return misplaced();
    const bool is_model = open_.size() == 1 && root_.is_object() && key_ == "model";
    Json* node = place(std::move(container));
    open_.push_back(node);
    if (is_model) model_ = node;
    return true;
  }
  bool misplaced() {
    if (mode_ == Mode::vocabulary) return fail("model.vocab", "an id is not a whole number");
    return fail(merge_key(mode_ == Mode::merge_pair ? -1 : 0), "is neither a text nor a pair of texts");
  }
  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    Json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }

  const std::string& where_;
  TokenizerFile& file_;
  Json root_;
  std::vector<Json*> open_;
  const Json* model_ = nullptr;
  std::string key_;
  Mode mode_ = Mode::tree;
  bool vocabulary_seen_ = false, merges_seen_ = false;
  int parts_ = 0;
  Error error_;
};

}  // namespace

Result<TokenizerFile> read_tokenizer_file(std::string_view json, const std::string& where) {
  TokenizerFile file;
  Reader reader(where, file);
  file.strings.reserve(json.size() / 2);
  JsonLimits limits;
  limits.bytes = size_t{1} << 28;
  if (Status s = reader.finish(parse_json_events(json, where, reader, limits)); !s) return s.error();
  return file;
}

}  // namespace fathom::text
