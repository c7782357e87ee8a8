#include <algorithm>
#include <map>

#include "base/json.h"
#include "io/model_directory.h"

namespace fathom::io {
namespace {

constexpr const char* kFetchAgain = "fetch the index again";

bool is_plain_file_name(const std::string& name) {
  const std::string_view suffix = ".safetensors";
  if (name.size() <= suffix.size() || name.size() > 255 || !name.ends_with(suffix) || name[0] == '.')
    return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

class IndexParser final : public JsonEvents {
 public:
  explicit IndexParser(const std::string& where) : where_(where) {}

  bool begin_object() override {
    ++depth_;
    if (depth_ == 2 && pending_map_) {
      pending_map_ = false;
      in_map_ = true;
      return true;
    }
    return value();
  }
  bool end_object() override {
    if (--depth_ == 1) in_map_ = false;
    return true;
  }
  bool key(std::string& name) override {
    if (in_map_) {
      names_.push_back({index_.text.size(), name.size(), 0});
      index_.text.insert(index_.text.end(), name.begin(), name.end());
    } else if (depth_ == 1 && name == "weight_map") {
      if (seen_map_) return fail("weight_map", "is there twice");
      seen_map_ = pending_map_ = true;
    }
    return true;
  }
  bool string(std::string& text) override {
    if (!in_map_) return value();
    if (!is_plain_file_name(text))
      return fail(current_name(), "weight_map names '" + quotable(text) +
                                      "', which is not the name of a .safetensors file in this directory");
    names_.back().file = file_number(text);
    return true;
  }
  bool begin_array() override { return ++depth_, value(); }
  bool end_array() override { return --depth_, true; }
  bool integer(int64_t) override { return value(); }
  bool number(double) override { return value(); }
  bool boolean(bool) override { return value(); }
  bool null() override { return value(); }

  const std::optional<Error>& error() const { return error_; }
  Result<WeightIndex> finish() {
    if (!seen_map_) return Error{where_, "weight_map", "is missing", kFetchAgain};
    if (names_.empty()) return Error{where_, "weight_map", "is empty", kFetchAgain};
    index_.entries.reserve(names_.size());
    for (const Name& n : names_)
      index_.entries.push_back({std::string_view(index_.text.data() + n.at, n.length), n.file});
    auto& entries = index_.entries;
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                          [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != entries.end())
      return Error{where_, std::string(twice->name), "is in weight_map twice", kFetchAgain};
    return std::move(index_);
  }

 private:
  struct Name {
    size_t at, length;
    uint32_t file;
  };

  // Any value but a string inside weight_map.
  bool value() {
    if (pending_map_) return fail("weight_map", "must be an object");
    if (in_map_) return fail(current_name(), "weight_map must give a file name");
    if (depth_ == 0) return fail("", "must be a JSON object");
    return true;
  }
  std::string current_name() const { return {index_.text.data() + names_.back().at, names_.back().length}; }
  bool fail(std::string key, std::string problem) {
    error_ = Error{where_, std::move(key), std::move(problem), kFetchAgain};
    return false;
  }
  // Neighbours in the map are usually in the same file.
  uint32_t file_number(const std::string& name) {
    if (last_ < index_.files.size() && index_.files[last_] == name) return last_;
    const auto [at, added] = numbers_.try_emplace(name, static_cast<uint32_t>(index_.files.size()));
    if (added) index_.files.push_back(name);
    return last_ = at->second;
  }

  const std::string& where_;
  int depth_ = 0;
  bool pending_map_ = false, in_map_ = false, seen_map_ = false;
  uint32_t last_ = 0;
  WeightIndex index_;
  std::vector<Name> names_;
  std::map<std::string, uint32_t> numbers_;
  std::optional<Error> error_;
};

}  // namespace

Result<WeightIndex> parse_index(std::string_view json, const std::string& where) {
  IndexParser parser(where);
  JsonLimits limits;
  limits.depth = 8;
  limits.bytes = size_t{256} << 20;
  const Status parsed = parse_json_events(json, where, parser, limits);
  if (parser.error()) return *parser.error();
  if (!parsed) return parsed.error();
  return parser.finish();
}

}  // namespace fathom::io
