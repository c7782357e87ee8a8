#include "apps/tokenize_chat.h"

#include <istream>

#include "base/json.h"
#include "text/chat_detect.h"

namespace fathom::apps {
namespace {

Error wrong_type(const char* key, const char* problem) {
  return Error{.where = "", .key = key, .problem = problem, .remedy = ""};
}

// true, false, or nullopt for null and absent.
Result<std::optional<bool>> read_flag(const OrderedJson& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || found->is_null()) return std::optional<bool>();
  if (!found->is_boolean()) return wrong_type(key, "must be true, false or null");
  return std::optional<bool>(found->get<bool>());
}

class ChatLines {
 public:
  ChatLines(const text::Tokenizer& tokenizer, const ChatLineOptions& options)
      : tokenizer_(tokenizer), options_(options), format_(options.format) {}

  OrderedJson answer(const std::string& text) {
    ++count_;
    auto rendered = render(text);
    if (!rendered) {
      if (rendered.error().where.empty()) rendered.error().where = "line " + std::to_string(count_);
      return {{"error", rendered.error().line()}};
    }
    const bool anywhere = options_.special == text::Special::recognised;
    return {{"rendered", rendered->text},
            {"ids", anywhere ? tokenizer_.encode(rendered->text, text::Special::recognised)
                             : tokenizer_.encode(rendered->text, rendered->spans)}};
  }

 private:
  Result<text::Rendered> render(const std::string& text) {
    const auto line = parse_ordered_json(text, "");
    if (!line) return line.error();
    if (!line->is_object()) return wrong_type("", "a line must be an object with \"messages\"");
    const auto thinking = read_flag(*line, "thinking");
    if (!thinking) return thinking.error();
    const auto prompt = read_flag(*line, "add_generation_prompt");
    if (!prompt) return prompt.error();
    const auto format = format_of(*line);
    if (!format) return format.error();
    const auto messages = line->find("messages");
    if (messages == line->end()) return wrong_type("messages", "is missing");
    return text::render_chat(*format, *messages,
                             {.thinking = *thinking, .add_generation_prompt = prompt->value_or(false)});
  }

  Result<text::ChatFormat> format_of(const OrderedJson& line) {
    const auto named = line.find("format");
    if (named != line.end() && !named->is_null()) {
      if (!named->is_string()) return wrong_type("format", "must be a string");
      return text::chat_format_named(named->get_ref<const std::string&>());
    }
    if (!format_) format_ = text::chat_format_of_directory(options_.directory).value();
    return *format_;
  }

  const text::Tokenizer& tokenizer_;
  const ChatLineOptions& options_;
  std::optional<text::ChatFormat> format_;
  size_t count_ = 0;
};

}  // namespace

void tokenize_chat(const text::Tokenizer& tokenizer, const ChatLineOptions& options, std::istream& in,
                   const std::function<void(const std::string&)>& write) {
  ChatLines lines(tokenizer, options);
  for (std::string text; std::getline(in, text);) write(json_text(lines.answer(text)));
}

}  // namespace fathom::apps
