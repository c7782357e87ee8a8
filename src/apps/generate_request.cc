#include "apps/generate_request.h"

#include <charconv>

#include "base/json.h"
#include "base/utf8.h"
#include "text/chat_tools.h"

namespace fathom::apps {
namespace {

constexpr const char* kBetweenIds = " ,\t\r\n[]";

[[noreturn]] void bad_request(const char* key, std::string problem, std::string remedy) {
  throw Exception({"request", key, std::move(problem), std::move(remedy)});
}

std::vector<int32_t> raw_prompt(const LoadedModel& m, const std::string& text) {
  const text::Tokenizer& tokenizer = m.require_tokenizer();
  std::vector<int32_t> ids = tokenizer.encode(text, text::Special::recognised);
  const auto bos = tokenizer.bos_id().value_or(static_cast<int32_t>(m.model.config.bos_token_id));
  if (ids.empty() || ids.front() != bos) ids.insert(ids.begin(), bos);
  return ids;
}

std::vector<int32_t> encode(const LoadedModel& m, const text::Rendered& rendered) {
  return m.require_tokenizer().encode(rendered.text, rendered.spans);
}

std::vector<int32_t> fim_prompt(const LoadedModel& m, const std::string& prefix, const std::string& suffix) {
  if (!m.require_tokenizer().id_of("<｜fim▁hole｜>"))
    bad_request("suffix", "this model's tokenizer has no tokens for filling in the middle",
                "leave the suffix out");
  return encode(m, text::render_fim(prefix, suffix));
}

std::vector<int32_t> messages_prompt(const LoadedModel& m, const GenerateRequest& r) {
  const text::ChatFormat format = m.require_format();
  text::Rendered tools;
  text::ChatOptions options{.thinking = r.thinking, .add_generation_prompt = true};
  if (r.tools.is_array() && !r.tools.empty()) {
    tools = text::render_tools(format, r.tools).value();
    options.tool_prompt = &tools;
  } else if (!r.tools.is_null() && !r.tools.is_array()) {
    bad_request("tools", "is no array", "write the chat API's list of functions");
  }
  if (r.chat) {
    const OrderedJson one = OrderedJson::array({{{"role", "user"}, {"content", *r.chat}}});
    return encode(m, text::render_chat(format, one, options).value());
  }
  return encode(m, text::render_chat(format, r.messages, options).value());
}

void require_utf8(const char* key, const std::optional<std::string>& text) {
  if (text && !utf8::valid(*text)) bad_request(key, "is not valid UTF-8", "convert the text to UTF-8");
}

std::vector<int32_t> prompt_of(const LoadedModel& m, const GenerateRequest& r) {
  const int sources = r.prompt.has_value() + r.chat.has_value() + r.ids.has_value() + !r.messages.is_null();
  if (sources != 1)
    bad_request("prompt", sources == 0 ? "nothing is asked" : "more than one question is asked",
                "give one of prompt, chat, messages and ids");
  require_utf8("prompt", r.prompt);
  require_utf8("suffix", r.suffix);
  require_utf8("chat", r.chat);
  if (r.suffix && !r.prompt) bad_request("suffix", "needs a prompt before the gap", "give prompt and suffix");
  if (r.ids) return *r.ids;
  if (r.suffix) return fim_prompt(m, *r.prompt, *r.suffix);
  return r.prompt ? raw_prompt(m, *r.prompt) : messages_prompt(m, r);
}

}  // namespace

std::vector<int32_t> parse_id_list(const std::string& text) {
  std::vector<int32_t> ids;
  for (size_t at = text.find_first_not_of(kBetweenIds); at != std::string::npos;) {
    const size_t end = std::min(text.find_first_of(kBetweenIds, at), text.size());
    int32_t id = -1;
    const auto [stop, problem] = std::from_chars(text.data() + at, text.data() + end, id);
    if (problem != std::errc() || stop != text.data() + end || id < 0)
      throw Exception({"--ids",
                       {},
                       quotable(text.substr(at, end - at), 20) + " is no token id",
                       "write --ids \"5 6 7\""});
    ids.push_back(id);
    at = text.find_first_not_of(kBetweenIds, end);
  }
  return ids;
}

infer::LogitBias parse_logit_bias(const std::string& text) {
  infer::LogitBias bias;
  const char *begin = text.data(), *end = begin + text.size();
  const auto id = std::from_chars(begin, end, bias.token);
  if (id.ec == std::errc() && id.ptr != end && *id.ptr == ':') {
    const auto value = std::from_chars(id.ptr + 1, end, bias.value);
    if (value.ec == std::errc() && value.ptr == end) return bias;
  }
  throw Exception({"--logit-bias", {}, quotable(text, 20) + " is not ID:VALUE", "write --logit-bias 42:-5"});
}

infer::Request engine_request(const LoadedModel& m, const GenerateRequest& r) {
  infer::Request out;
  out.prompt = prompt_of(m, r);
  out.max_tokens = r.max_tokens;
  out.sampling = r.sampling.over(m.generation.sampling);
  out.sampling.logit_bias = r.logit_bias;
  out.sampling.seed = r.seed;
  if (!r.ignore_eos) out.stop_ids = m.generation.stop_ids;
  out.stop = r.stop;
  out.logprobs = r.logprobs;
  out.mtp = r.mtp;
  return out;
}

}  // namespace fathom::apps
