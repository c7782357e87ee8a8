#include "server/openapi.h"

#include "base/build.h"
#include "base/json.h"
#include "server/model_list.h"
#include "server/request.h"

namespace fathom::server {
namespace {

void replace_all(std::string& text, std::string_view name, const std::string& value) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size()))
    text.replace(at, name.size(), value);
}

OrderedJson names_of(const ServedModel& model) {
  OrderedJson names = OrderedJson::array();
  const OrderedJson list = model_list(model);
  for (const OrderedJson& entry : list["data"]) names.push_back(entry["id"]);
  return names;
}

// "enabled" and "disabled", as far as the model can.
OrderedJson modes_of(const ServedModel& model) {
  OrderedJson modes = OrderedJson::array();
  if (model.thinking().thinking) modes.push_back("enabled");
  if (model.thinking().non_thinking) modes.push_back("disabled");
  return modes;
}

// The decimal numbers from 0 to `last`, without leading zeros, as a regular expression: of those as long as
// `last`, in the order of the first digit in which they differ from it.
std::string pattern_up_to(int64_t last) {
  const std::string digits = std::to_string(last);
  const auto any = [](size_t count) { return "[0-9]{" + std::to_string(count) + "}"; };
  std::string out = "^(0|" + digits;
  if (digits.size() > 1) out += "|[1-9][0-9]{0," + std::to_string(digits.size() - 2) + "}";
  for (size_t i = 0; i < digits.size(); ++i) {
    const char lowest = i == 0 ? '1' : '0';
    if (digits[i] <= lowest) continue;
    out += "|" + digits.substr(0, i) + "[" + lowest + "-" + static_cast<char>(digits[i] - 1) + "]" +
           any(digits.size() - 1 - i);
  }
  return out + ")$";
}

}  // namespace

std::string openapi_document(const ServedModel& model, const ServiceOptions& options) {
  std::string out =
      R"({"openapi": "3.1.0", "info": {"title": "Fathom", "version": ")" + std::string(build::kVersion) +
      R"(", "description": "DeepSeek's, OpenAI's and Anthropic's APIs on a model of the DeepSeek-V3 family."},
    "paths": {)" +
      openapi::kPaths + R"(}, "components": {"schemas": {)" + openapi::kChatSchemas + "," +
      openapi::kMessageSchemas + "," + openapi::kResponsesSchemas + "," + openapi::kOtherSchemas + "}";
  if (!options.api_keys.empty())
    out +=
        R"(, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}, "security": [{"bearer": []}]})";
  else
    out += "}}";
  replace_all(out, "{{MODELS}}", json_text(names_of(model)));
  replace_all(out, "{{MODES}}", json_text(modes_of(model)));
  // Where a description of so many tools does not fit the context, that is the tighter limit.
  const bool most_tools_fit = model.engine.context_tokens() >= 128 * kMostTools;
  replace_all(out, "{{MOST_TOOLS}}",
              most_tools_fit ? "\"maxItems\": " + std::to_string(kMostTools) + ", " : std::string());
  const int64_t last_id = model.engine.model().config.vocab_size - 1;
  replace_all(out, "{{LAST_ID}}", std::to_string(last_id));
  replace_all(out, "{{ID_PATTERN}}", pattern_up_to(last_id));
  replace_all(out, "{{LAST_TOKEN}}", std::to_string(model.tokenizer.vocab_size() - 1));
  return json_text(parse_ordered_json(out, "openapi").value());
}

}  // namespace fathom::server
