#include "base/json.h"

#include <set>
#include <vector>

namespace fathom {
namespace {

// nlohmann's SAX interface with the depth limit; Derived supplies what happens with each event.
template <class Derived>
class LimitedSax : public nlohmann::json_sax<Json> {
 public:
  LimitedSax(std::string_view text, const std::string& where, JsonLimits limits)
      : text_(text), where_(where), limits_(limits) {}

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    if (!error_.problem.empty()) return false;
    const size_t at = std::min(position, text_.size());
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    fail("not valid JSON at byte " + std::to_string(position) + " (line " + std::to_string(line) + ")");
    return false;
  }
  bool fail(std::string problem, std::string key = {}) {
    if (error_.problem.empty()) error_ = {where_, std::move(key), std::move(problem), "correct the file"};
    return false;
  }
  bool enter() {
    if (++depth_ > limits_.depth) return fail("JSON nested deeper than " + std::to_string(limits_.depth) + " levels");
    return true;
  }
  void leave() { --depth_; }

  bool run() {
    if (text_.size() > limits_.bytes) return fail("JSON larger than " + std::to_string(limits_.bytes) + " bytes");
    if (text_.starts_with("\xEF\xBB\xBF")) return fail("starts with a byte order mark");
    const bool ok = Json::sax_parse(text_.begin(), text_.end(), static_cast<Derived*>(this));
    if (!ok && error_.problem.empty()) fail("not valid JSON");
    return ok;
  }
  Error take_error() { return std::move(error_); }

 protected:
  std::string_view text_;
  const std::string& where_;
  JsonLimits limits_;
  int depth_ = 0;
  Error error_;
};

template <class Document>
class TreeBuilder final : public LimitedSax<TreeBuilder<Document>> {
 public:
  using LimitedSax<TreeBuilder>::LimitedSax;

  bool null() override { return put(nullptr); }
  bool boolean(bool v) override { return put(v); }
  bool number_integer(std::int64_t v) override { return put(v); }
  bool number_unsigned(std::uint64_t v) override { return put(v); }
  bool number_float(double v, const std::string&) override { return put(v); }
  bool string(std::string& v) override { return put(std::move(v)); }
  bool binary(Json::binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Document::object()); }
  bool start_array(std::size_t) override { return open(Document::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (!levels_.back().keys.insert(name).second) return this->fail("the key appears twice", quotable(name));
    key_ = std::move(name);
    return true;
  }
  Document take() { return std::move(root_); }

 private:
  struct Level {
    Document* node;
    std::set<std::string> keys;
  };

  Document* place(Document value) {
    if (levels_.empty()) return &(root_ = std::move(value));
    Document& parent = *levels_.back().node;
    if (parent.is_object()) {
      auto& members = parent.template get_ref<typename Document::object_t&>();
      // The key is new, and an ordered object would look through all others for it.
      if constexpr (std::is_same_v<Document, OrderedJson>) return &members.emplace_back(key_, std::move(value)).second;
      return &(members[key_] = std::move(value));
    }
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool put(Document value) { return place(std::move(value)), true; }
  bool open(Document container) {
    if (!this->enter()) return false;
    Document* node = place(std::move(container));
    levels_.push_back({node, {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    this->leave();
    return true;
  }

  Document root_;
  std::vector<Level> levels_;
  std::string key_;
};

class Forwarder final : public LimitedSax<Forwarder> {
 public:
  Forwarder(std::string_view text, const std::string& where, JsonLimits limits, JsonEvents& events)
      : LimitedSax(text, where, limits), events_(events) {}

  bool null() override { return events_.null(); }
  bool boolean(bool v) override { return events_.boolean(v); }
  bool number_integer(std::int64_t v) override { return events_.integer(v); }
  bool number_unsigned(std::uint64_t v) override {
    return v <= static_cast<std::uint64_t>(INT64_MAX) ? events_.integer(static_cast<std::int64_t>(v))
                                                      : events_.number(static_cast<double>(v));
  }
  bool number_float(double v, const std::string&) override { return events_.number(v); }
  bool string(std::string& v) override { return events_.string(v); }
  bool binary(Json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter() && events_.begin_object(); }
  bool start_array(std::size_t) override { return enter() && events_.begin_array(); }
  bool end_object() override { return leave(), events_.end_object(); }
  bool end_array() override { return leave(), events_.end_array(); }
  bool key(std::string& name) override { return events_.key(name); }

 private:
  JsonEvents& events_;
};

template <class Document>
Result<Document> parse_tree(std::string_view text, const std::string& where, JsonLimits limits) {
  TreeBuilder<Document> builder(text, where, limits);
  if (!builder.run()) return builder.take_error();
  return builder.take();
}

void python_text(const OrderedJson& value, std::string& out) {
  if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [name, member] : value.items()) {
      if (!std::exchange(first, false)) out += ", ";
      out += OrderedJson(name).dump(-1, ' ', true) + ": ";
      python_text(member, out);
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const auto& member : value) {
      if (!std::exchange(first, false)) out += ", ";
      python_text(member, out);
    }
    out += ']';
  } else {
    out += value.dump(-1, ' ', true);
  }
}

}  // namespace

Result<Json> parse_json(std::string_view text, const std::string& where, JsonLimits limits) {
  return parse_tree<Json>(text, where, limits);
}

Result<OrderedJson> parse_ordered_json(std::string_view text, const std::string& where, JsonLimits limits) {
  return parse_tree<OrderedJson>(text, where, limits);
}

Status parse_json_events(std::string_view text, const std::string& where, JsonEvents& events, JsonLimits limits) {
  Forwarder forwarder(text, where, limits, events);
  if (!forwarder.run()) return forwarder.take_error();
  return Ok{};
}

std::string json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string json_text(const OrderedJson& value, bool python_style) {
  if (!python_style) return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  std::string out;
  python_text(value, out);
  return out;
}

}  // namespace fathom
