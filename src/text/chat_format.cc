#include "text/chat_format.h"

#include <iterator>

#include "base/check.h"
#include "base/json.h"
#include "text/chat_markers.h"
#include "text/chat_traits.h"

namespace fathom::text {
namespace {

using T = ChatTraits;

constexpr ThinkingSupport kNeverThinks{.thinking = false, .non_thinking = true};
constexpr ThinkingSupport kAlwaysThinks{.thinking = true, .non_thinking = false};
constexpr ThinkingSupport kThinksWhenAsked{.thinking = true, .non_thinking = true};

constexpr ChatTraits kTraits[] = {
    {.name = "v3",
     .thinking = kNeverThinks,
     .syntax = CallSyntax::kFenced,
     .marker = T::Marker::kBeforeTurn,
     .calls = T::Calls::kContentNull,
     .cut = T::Cut::kNever,
     .prompt = T::Prompt::kAlways,
     .prompt_tail = "",
     .between_outputs = "\n",
     .fresh_rounds = false,
     .closes_later_calls = true},
    {.name = "v3-0324",
     .thinking = kNeverThinks,
     .syntax = CallSyntax::kFenced,
     .marker = T::Marker::kAfterUser,
     .calls = T::Calls::kNotNull,
     .cut = T::Cut::kNever,
     .prompt = T::Prompt::kUnlessUser,
     .prompt_tail = "",
     .between_outputs = "\n",
     .fresh_rounds = true,
     .closes_later_calls = false},
    {.name = "r1",
     .thinking = kAlwaysThinks,
     .syntax = CallSyntax::kFenced,
     .marker = T::Marker::kBeforeTurn,
     .calls = T::Calls::kKeyPresent,
     .cut = T::Cut::kLast,
     .prompt = T::Prompt::kAlways,
     .prompt_tail = "<think>\n",
     .between_outputs = "",
     .fresh_rounds = false,
     .closes_later_calls = false},
    {.name = "r1-0528",
     .thinking = kAlwaysThinks,
     .syntax = CallSyntax::kFenced,
     .marker = T::Marker::kAfterUser,
     .calls = T::Calls::kNotNull,
     .cut = T::Cut::kLastAlways,
     .prompt = T::Prompt::kUnlessUser,
     .prompt_tail = "",
     .between_outputs = "\n",
     .fresh_rounds = true,
     .closes_later_calls = false},
    {.name = "v3.1",
     .thinking = kThinksWhenAsked,
     .syntax = CallSyntax::kPlain,
     .marker = T::Marker::kWithThinking,
     .calls = T::Calls::kNotNull,
     .cut = T::Cut::kFirst,
     .prompt = T::Prompt::kAfterUser,
     .prompt_tail = "",
     .between_outputs = "",
     .fresh_rounds = true,
     .closes_later_calls = false},
    {.name = "v3.2-exp",
     .thinking = kThinksWhenAsked,
     .syntax = CallSyntax::kPlain,
     .marker = T::Marker::kWithThinking,
     .calls = T::Calls::kNotNull,
     .cut = T::Cut::kFirst,
     .prompt = T::Prompt::kUnlessPrefix,
     .prompt_tail = "",
     .between_outputs = "",
     .fresh_rounds = true,
     .closes_later_calls = false},
};
static_assert(std::size(kTraits) == kChatFormats.size());

}  // namespace

const ChatTraits& chat_traits(ChatFormat format) {
  const auto at = static_cast<size_t>(format);
  FATHOM_CHECK(at < std::size(kTraits));
  return kTraits[at];
}

std::string_view chat_format_name(ChatFormat format) { return chat_traits(format).name; }
CallSyntax call_syntax(ChatFormat format) { return chat_traits(format).syntax; }
ThinkingSupport thinking_support(ChatFormat format) { return chat_traits(format).thinking; }

std::string chat_format_names() {
  std::string names;
  for (const ChatFormat format : kChatFormats) {
    if (!names.empty()) names += ' ';
    names += chat_format_name(format);
  }
  return names;
}

Result<ChatFormat> chat_format_named(std::string_view name) {
  for (const ChatFormat format : kChatFormats) {
    if (chat_format_name(format) == name) return format;
  }
  return Error{.where = "format",
               .key = "",
               .problem = "\"" + quotable(std::string(name)) + "\" is not a chat format",
               .remedy = "use one of " + chat_format_names()};
}

Rendered render_user(ChatFormat format, std::string_view text, std::optional<bool> thinking) {
  OrderedJson messages = OrderedJson::array();
  messages.push_back({{"role", "user"}, {"content", text}});
  return render_chat(format, messages, {.thinking = thinking, .add_generation_prompt = true}).value();
}

Rendered render_fim(std::string_view prefix, std::string_view suffix) {
  Rendered out;
  out.add_template(marker::kBos);
  out.add_template(marker::kFimBegin);
  out.add_content(prefix);
  out.add_template(marker::kFimHole);
  out.add_content(suffix);
  out.add_template(marker::kFimEnd);
  return out;
}

}  // namespace fathom::text
