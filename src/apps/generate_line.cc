// Lines of `generate --jsonl`.
#include <charconv>
#include <limits>

#include "apps/generate_request.h"
#include "base/json.h"

namespace fathom::apps {
namespace {

[[noreturn]] void bad(const char* key, std::string problem, std::string remedy) {
  throw Exception({"line", key, std::move(problem), std::move(remedy)});
}

// Typed access to the keys of a line; null counts as absent.
class Line {
 public:
  explicit Line(const OrderedJson& object) : object_(object) {}

  const OrderedJson* find(const char* key) const {
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }
  void text(const char* key, std::optional<std::string>& out) const {
    if (const OrderedJson* v = find(key)) {
      if (!v->is_string()) bad(key, "is no text", "write a JSON string");
      out = v->get<std::string>();
    }
  }
  template <class T>
  void number(const char* key, T& out) const {
    if (const OrderedJson* v = find(key)) {
      if (!v->is_number()) bad(key, "is no number", "write a JSON number");
      out = v->get<double>();
    }
  }
  template <class T>
  void integer(const char* key, T& out) const {
    if (const OrderedJson* v = find(key)) out = whole(key, *v);
  }
  template <class T>
  void flag(const char* key, T& out) const {
    if (const OrderedJson* v = find(key)) {
      if (v->is_number_integer() && (*v == 0 || *v == 1))
        out = *v == 1;
      else if (v->is_boolean())
        out = v->get<bool>();
      else
        bad(key, "is neither true nor false", "write true or false");
    }
  }
  static int64_t whole(const char* key, const OrderedJson& v) {
    const bool too_large = v.is_number_unsigned() &&
                           v.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!v.is_number_integer() || too_large) bad(key, "is no whole number", "write an integer");
    return v.get<int64_t>();
  }

 private:
  const OrderedJson& object_;
};

std::vector<int32_t> ids_of(const OrderedJson& v) {
  if (!v.is_array()) bad("ids", "is no array", "write [5, 6, 7]");
  std::vector<int32_t> ids;
  for (const OrderedJson& each : v) {
    const int64_t id = Line::whole("ids", each);
    if (id < 0 || id > INT32_MAX)
      bad("ids", "token " + std::to_string(id) + " does not exist", "use the model's ids");
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

std::vector<infer::LogitBias> biases_of(const OrderedJson& v) {
  if (!v.is_object()) bad("logit_bias", "is no object", "write {\"ID\": VALUE, ...}");
  std::vector<infer::LogitBias> biases;
  for (const auto& [id, value] : v.items()) {
    if (!value.is_number()) bad("logit_bias", "a value is no number", "write {\"ID\": VALUE, ...}");
    infer::LogitBias b{.token = -1, .value = value.get<float>()};
    const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), b.token);
    if (problem != std::errc() || end != id.data() + id.size())
      bad("logit_bias", quotable(id, 20) + " is no token id", "write {\"ID\": VALUE, ...}");
    biases.push_back(b);
  }
  return biases;
}

std::vector<std::string> stops_of(const OrderedJson& v) {
  const OrderedJson list = v.is_string() ? OrderedJson::array({v}) : v;
  std::vector<std::string> stops;
  if (!list.is_array() || list.size() > 64) bad("stop", "is no list of texts", "give at most 64 strings");
  for (const OrderedJson& each : list) {
    if (!each.is_string()) bad("stop", "is no list of texts", "write [\"END\"]");
    stops.push_back(each.get<std::string>());
  }
  return stops;
}

int64_t logprobs_wanted(const OrderedJson& v) {
  if (v.is_boolean()) return v.get<bool>() ? 0 : -1;
  return Line::whole("logprobs", v);
}

}  // namespace

GenerateRequest parse_generate_line(const std::string& text) {
  const OrderedJson object = parse_ordered_json(text, "line").value();
  if (!object.is_object()) bad("", "is no JSON object", "write one object a line");
  const Line line(object);
  GenerateRequest r;
  line.text("prompt", r.prompt);
  line.text("chat", r.chat);
  line.text("suffix", r.suffix);
  if (const OrderedJson* v = line.find("ids")) r.ids = ids_of(*v);
  if (const OrderedJson* v = line.find("messages")) r.messages = *v;
  if (const OrderedJson* v = line.find("tools")) r.tools = *v;
  line.flag("thinking", r.thinking);
  line.integer("max_tokens", r.max_tokens);
  line.number("temperature", r.sampling.temperature);
  line.number("top_p", r.sampling.top_p);
  line.number("min_p", r.sampling.min_p);
  line.integer("top_k", r.sampling.top_k);
  line.number("repetition_penalty", r.sampling.repetition_penalty);
  line.number("presence_penalty", r.sampling.presence_penalty);
  line.number("frequency_penalty", r.sampling.frequency_penalty);
  if (const OrderedJson* v = line.find("logit_bias")) r.logit_bias = biases_of(*v);
  if (const OrderedJson* v = line.find("stop")) r.stop = stops_of(*v);
  if (const OrderedJson* v = line.find("seed")) {
    if (!v->is_number_integer()) bad("seed", "is no whole number", "write an integer");
    r.seed = v->is_number_unsigned() ? v->get<uint64_t>() : static_cast<uint64_t>(v->get<int64_t>());
  }
  if (const OrderedJson* v = line.find("logprobs")) r.logprobs = logprobs_wanted(*v);
  line.flag("ignore_eos", r.ignore_eos);
  line.flag("mtp", r.mtp);
  return r;
}

}  // namespace fathom::apps
