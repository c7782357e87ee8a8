#include "infer/generation_config.h"

#include <algorithm>

#include "base/json.h"

namespace fathom::infer {
namespace {

// Reads keys of one object; remembers the first error.
class Reader {
 public:
  Reader(const Json& object, const std::string& where) : object_(object), where_(where) {}

  void number(const char* key, double& value) {
    const auto at = object_.find(key);
    if (at == object_.end() || at->is_null()) return;
    if (at->is_number())
      value = at->get<double>();
    else
      fail(key, "is no number");
  }
  void count(const char* key, int64_t& value) {
    double wide = static_cast<double>(value);
    number(key, wide);
    if (wide >= 0 && wide < 1e15 && wide == static_cast<double>(static_cast<int64_t>(wide)))
      value = static_cast<int64_t>(wide);
    else
      fail(key, "is no whole number from 0 up");
  }
  void flag(const char* key, bool& value) {
    const auto at = object_.find(key);
    if (at == object_.end() || at->is_null()) return;
    if (at->is_boolean())
      value = at->get<bool>();
    else
      fail(key, "is neither true nor false");
  }
  void ids(const char* key, int64_t vocab, std::vector<int32_t>& values) {
    const auto at = object_.find(key);
    if (at == object_.end() || at->is_null()) return;
    const Json list = at->is_array() ? *at : Json::array({*at});
    for (const Json& id : list) {
      if (id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() < vocab)
        values.push_back(static_cast<int32_t>(id.get<int64_t>()));
      else
        fail(key, "is no token id below " + std::to_string(vocab));
    }
  }
  void fail(const char* key, std::string problem) {
    if (!error_) error_ = Error{where_, key, std::move(problem), "correct the file or remove the key"};
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const Json& object_;
  const std::string& where_;
  std::optional<Error> error_;
};

}  // namespace

Result<GenerationConfig> parse_generation_config(std::string_view text, int64_t vocab,
                                                 const std::string& where) {
  auto json = parse_json(text, where);
  if (!json) return json.error();
  if (!json->is_object()) return Error{where, {}, "is not a JSON object", "fetch the file again"};
  GenerationConfig config;
  SamplingParams& p = config.sampling;
  Reader read(*json, where);
  bool sample = false;
  read.flag("do_sample", sample);
  read.number("temperature", p.temperature);
  read.number("top_p", p.top_p);
  read.number("min_p", p.min_p);
  read.count("top_k", p.top_k);
  read.number("repetition_penalty", p.repetition_penalty);
  read.ids("eos_token_id", vocab, config.stop_ids);
  if (read.error()) return *read.error();
  if (const Status s = check_sampling(p, vocab, where); !s) return s.error();
  if (!sample) p.temperature = 0;
  return config;
}

Result<GenerationConfig> generation_config_of(const std::optional<std::string>& text,
                                              const std::vector<int64_t>& config_eos, int64_t vocab,
                                              const std::string& where) {
  auto config = parse_generation_config(text.value_or("{}"), vocab, where);
  if (!config) return config;
  for (int64_t id : config_eos)
    if (id >= 0 && id < vocab) config->stop_ids.push_back(static_cast<int32_t>(id));
  std::ranges::sort(config->stop_ids);
  const auto repeated = std::ranges::unique(config->stop_ids);
  config->stop_ids.erase(repeated.begin(), repeated.end());
  return config;
}

}  // namespace fathom::infer
