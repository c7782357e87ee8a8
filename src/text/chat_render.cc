// The official templates as one state machine. What looks odd here is what they do: their flags outlive the
// messages that set them, and their expressions fail only when they are evaluated.
#include "base/check.h"
#include "base/json.h"
#include "text/chat_format.h"
#include "text/chat_markers.h"
#include "text/chat_traits.h"

namespace fathom::text {
namespace {

// Truth of a value in the template language.
bool truthy(const OrderedJson* value) {
  if (value == nullptr || value->is_null()) return false;
  if (value->is_boolean()) return value->get<bool>();
  if (value->is_number()) return value->get<double>() != 0.0;
  if (value->is_string()) return !value->get_ref<const std::string&>().empty();
  return !value->empty();
}

// The member of an object; null for what has none, which the templates call undefined.
const OrderedJson* member(const OrderedJson* value, const char* key) {
  if (value == nullptr || !value->is_object()) return nullptr;
  const auto found = value->find(key);
  return found == value->end() ? nullptr : &*found;
}

bool is_null(const OrderedJson* value) { return value != nullptr && value->is_null(); }

std::string kind_of(const OrderedJson* value) {
  return value == nullptr ? "is missing" : std::string("is of type ") + value->type_name();
}

class Renderer {
 public:
  Renderer(ChatFormat format, const ChatOptions& options)
      : traits_(chat_traits(format)), options_(options), is_v32_(format == ChatFormat::kV3_2Exp) {}

  Rendered render(const OrderedJson& messages) {
    if (!messages.is_array()) fail("", "messages", kind_of(&messages), "give an array of messages");
    system_text(messages);
    for (size_t i = 0; i < messages.size(); ++i) {
      place_ = "messages[" + std::to_string(i) + "]";
      is_final_ = i + 1 == messages.size();
      add_message(messages[i]);
    }
    if (traits_.syntax == CallSyntax::kFenced && after_tool_) out_.add_template(marker::kOutputsEnd);
    if (options_.add_generation_prompt && !after_tool_ && wants_prompt()) add_prompt();
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& place, const char* key, const std::string& problem,
                         const std::string& remedy) const {
    const std::string what =
        problem + ", which the " + std::string(traits_.name) + " chat format cannot render";
    throw Exception(Error{.where = place, .key = key, .problem = what, .remedy = remedy});
  }

  // The string `value`, whose key is `key` in `place`.
  const std::string& text(const OrderedJson* value, const char* key, const std::string& place) const {
    if (value == nullptr || !value->is_string()) fail(place, key, kind_of(value), "give a string");
    return value->get_ref<const std::string&>();
  }

  // All system messages come first, joined, wherever they stand.
  void system_text(const OrderedJson& messages) {
    out_.add_template(marker::kBos);
    bool first = true;
    for (size_t i = 0; i < messages.size(); ++i) {
      if (!has_role(messages[i], "system")) continue;
      if (!first) out_.add_template("\n\n");
      first = false;
      only_system_ = is_v32_;
      const std::string place = "messages[" + std::to_string(i) + "]";
      out_.add_content(text(member(&messages[i], "content"), "content", place));
    }
    if (options_.tool_prompt != nullptr) {
      out_.add_template("\n\n");
      out_.add(*options_.tool_prompt);
    }
  }

  static bool has_role(const OrderedJson& message, const char* role) {
    const OrderedJson* value = member(&message, "role");
    return value != nullptr && value->is_string() && value->get_ref<const std::string&>() == role;
  }

  void add_message(const OrderedJson& message) {
    if (has_role(message, "system")) return;
    const OrderedJson* content = member(&message, "content");
    if (has_role(message, "user")) add_user(content);
    if (has_role(message, "assistant")) {
      if (traits_.cut == ChatTraits::Cut::kLastAlways) require_searchable(content);
      if (is_call(message)) {
        add_calls(member(&message, "tool_calls"), content);
      } else {
        add_answer(message, content);
      }
    }
    if (has_role(message, "tool")) add_tool_result(content);
    only_system_ = false;
  }

  void add_user(const OrderedJson* content) {
    after_tool_ = false;
    if (traits_.fresh_rounds) call_written_ = false;
    last_user_ = true;
    out_.add_template(marker::kUser);
    out_.add_content(text(content, "content", place_));
    if (traits_.marker == ChatTraits::Marker::kAfterUser) out_.add_template(marker::kAssistant);
  }

  bool is_call(const OrderedJson& message) const {
    const OrderedJson* calls = member(&message, "tool_calls");
    switch (traits_.calls) {
      case ChatTraits::Calls::kContentNull:
        return is_null(member(&message, "content"));
      case ChatTraits::Calls::kKeyPresent:
        return calls != nullptr;
      case ChatTraits::Calls::kNotNull:
        return calls != nullptr && !calls->is_null();
    }
    return false;
  }

  void add_calls(const OrderedJson* calls, const OrderedJson* content) {
    if (traits_.marker == ChatTraits::Marker::kWithThinking) {
      if (last_user_ || only_system_)
        out_.add_template(marker::kAssistant), out_.add_template(marker::kThinkEnd);
    } else if (traits_.fresh_rounds && after_tool_) {
      out_.add_template(marker::kOutputsEnd);
    }
    last_user_ = after_tool_ = false;
    if (traits_.fresh_rounds) call_written_ = output_written_ = false;
    require_iterable(calls);
    const size_t count = calls != nullptr && calls->is_array() ? calls->size() : 0;
    for (size_t i = 0; i < count; ++i) {
      const bool later = call_written_;
      later ? out_.add_template(traits_.syntax == CallSyntax::kFenced ? "\n" : "") : open_calls(content);
      add_call((*calls)[i], place_ + ".tool_calls[" + std::to_string(i) + "]");
      call_written_ = true;
      if (later && traits_.closes_later_calls) close_calls();
    }
    if (!traits_.closes_later_calls) close_calls();
  }

  // Strings and objects can be walked through too, but what is found there is never a call.
  void require_iterable(const OrderedJson* calls) const {
    if (calls == nullptr || calls->is_array()) return;
    const bool nothing = (calls->is_object() || calls->is_string()) && !truthy(calls);
    if (!nothing) fail(place_, "tool_calls", kind_of(calls), "give an array of calls or leave it out");
  }

  void open_calls(const OrderedJson* content) {
    if (traits_.marker == ChatTraits::Marker::kBeforeTurn) out_.add_template(marker::kAssistant);
    if (!is_null(content)) {
      const std::string& whole = text(content, "content", place_);
      out_.add_content(traits_.cut == ChatTraits::Cut::kLastAlways ? after_thoughts(whole) : whole);
    }
    out_.add_template(marker::kCallsBegin);
  }

  void add_call(const OrderedJson& call, const std::string& place) {
    const OrderedJson* function = member(&call, "function");
    const std::string inner = place + ".function";
    const bool fenced = traits_.syntax == CallSyntax::kFenced;
    out_.add_template(marker::kCallBegin);
    if (fenced) {
      out_.add_content(text(member(&call, "type"), "type", place));
      out_.add_template(marker::kCallSeparator);
    }
    out_.add_content(text(member(function, "name"), "name", inner));
    out_.add_template(fenced ? marker::kFenceOpen : marker::kCallSeparator);
    out_.add_content(text(member(function, "arguments"), "arguments", inner));
    if (fenced) out_.add_template(marker::kFenceClose);
    out_.add_template(marker::kCallEnd);
  }

  void close_calls() {
    out_.add_template(marker::kCallsEnd);
    out_.add_template(marker::kEos);
  }

  void add_answer(const OrderedJson& message, const OrderedJson* content) {
    const bool prefix = truthy(member(&message, "prefix"));
    const std::string* thoughts = thoughts_to_continue(message);
    if (traits_.marker == ChatTraits::Marker::kBeforeTurn && !after_tool_)
      out_.add_template(marker::kAssistant);
    if (traits_.marker == ChatTraits::Marker::kWithThinking && last_user_) {
      out_.add_template(marker::kAssistant);
      const bool thinks = prefix && options_.thinking.value_or(false);
      if (thoughts == nullptr) out_.add_template(thinks ? marker::kThinkBegin : marker::kThinkEnd);
    }
    if (traits_.syntax == CallSyntax::kFenced && after_tool_) out_.add_template(marker::kOutputsEnd);
    has_prefix_ = has_prefix_ || prefix;
    last_user_ = false;
    const std::string_view whole = text(content, "content", place_);
    if (thoughts != nullptr) {
      continue_thoughts(*thoughts, whole);
    } else {
      const bool cut = !after_tool_ || traits_.cut == ChatTraits::Cut::kLastAlways;
      out_.add_content(cut ? after_thoughts(whole) : whole);
    }
    after_tool_ = false;
    if (!(options_.open_end && is_final_)) out_.add_template(marker::kEos);
  }

  // Thoughts that the client gives for the model to go on from. The templates know nothing of them.
  const std::string* thoughts_to_continue(const OrderedJson& message) const {
    if (!options_.open_end || !is_final_ || !traits_.thinking.thinking) return nullptr;
    if (traits_.thinking.non_thinking && !options_.thinking.value_or(false)) return nullptr;
    const OrderedJson* thoughts = member(&message, "reasoning_content");
    if (thoughts == nullptr || thoughts->is_null()) return nullptr;
    return &text(thoughts, "reasoning_content", place_);
  }

  // The thoughts stay open as long as there is no answer yet.
  void continue_thoughts(const std::string& thoughts, std::string_view answer) {
    out_.add_template(traits_.prompt_tail.empty() ? marker::kThinkBegin : traits_.prompt_tail);
    out_.add_content(thoughts);
    if (answer.empty()) return;
    out_.add_template(marker::kThinkEnd);
    out_.add_content(answer);
  }

  std::string_view after_thoughts(std::string_view whole) const {
    if (traits_.cut == ChatTraits::Cut::kNever) return whole;
    const bool first = traits_.cut == ChatTraits::Cut::kFirst;
    const size_t at = first ? whole.find(marker::kThinkEnd) : whole.rfind(marker::kThinkEnd);
    return at == std::string_view::npos ? whole : whole.substr(at + marker::kThinkEnd.size());
  }

  // R1-0528 looks for the end of thoughts in every assistant's content, used or not. That works for lists and
  // objects which do not hold it, and for what is missing.
  void require_searchable(const OrderedJson* content) const {
    if (content == nullptr || content->is_string()) return;
    bool fine = content->is_structured();
    if (content->is_object()) fine = member(content, "</think>") == nullptr;
    if (content->is_array()) {
      for (const OrderedJson& item : *content) fine = fine && item != marker::kThinkEnd;
    }
    if (!fine) fail(place_, "content", kind_of(content), "give a string");
  }

  void add_tool_result(const OrderedJson* content) {
    last_user_ = false;
    after_tool_ = true;
    if (traits_.syntax == CallSyntax::kFenced) {
      out_.add_template(output_written_ ? traits_.between_outputs : marker::kOutputsBegin);
      output_written_ = true;
    }
    out_.add_template(marker::kOutputBegin);
    out_.add_content(text(content, "content", place_));
    out_.add_template(marker::kOutputEnd);
  }

  bool wants_prompt() const {
    switch (traits_.prompt) {
      case ChatTraits::Prompt::kAlways:
        return true;
      case ChatTraits::Prompt::kUnlessUser:
        return !last_user_;
      case ChatTraits::Prompt::kAfterUser:
        return last_user_;
      case ChatTraits::Prompt::kUnlessPrefix:
        return last_user_ || only_system_ || !has_prefix_;
    }
    return false;
  }

  void add_prompt() {
    out_.add_template(marker::kAssistant);
    out_.add_template(traits_.prompt_tail);
    if (traits_.marker != ChatTraits::Marker::kWithThinking) return;
    out_.add_template(options_.thinking.value_or(false) ? marker::kThinkBegin : marker::kThinkEnd);
  }

  const ChatTraits& traits_;
  const ChatOptions& options_;
  const bool is_v32_;
  Rendered out_;
  std::string place_;            // the message at hand
  bool is_final_ = false;        // it is the last one
  bool after_tool_ = false;      // tool results are open
  bool last_user_ = false;       // a user's message was the last that counts
  bool call_written_ = false;    // the markers that open a list of calls are written
  bool output_written_ = false;  // the marker that opens tool results is written
  bool only_system_ = false;     // v3.2-exp: there are system messages and nothing else so far
  bool has_prefix_ = false;      // v3.2-exp: some answer was a prefix
};

}  // namespace

Result<Rendered> render_chat(ChatFormat format, const OrderedJson& messages, const ChatOptions& options) {
  FATHOM_CHECK(!(options.open_end && options.add_generation_prompt));
  try {
    return Renderer(format, options).render(messages);
  } catch (const Exception& e) {
    return e.error();
  }
}

}  // namespace fathom::text
