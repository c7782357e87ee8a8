// The chat formats of the family: a conversation rendered to the very text that the official template gives,
// with the ranges that the template wrote.
//
// All functions here are pure and may be called from any thread.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "text/span.h"

namespace fathom::text {

enum class ChatFormat { kV3, kV3_0324, kR1, kR1_0528, kV3_1, kV3_2Exp };

inline constexpr std::array kChatFormats = {ChatFormat::kV3,      ChatFormat::kV3_0324, ChatFormat::kR1,
                                            ChatFormat::kR1_0528, ChatFormat::kV3_1,    ChatFormat::kV3_2Exp};

std::string_view chat_format_name(ChatFormat format);
// By its name ("v3", "v3-0324", "r1", "r1-0528", "v3.1", "v3.2-exp"); an Error lists them.
Result<ChatFormat> chat_format_named(std::string_view name);
// All names, separated by spaces, for messages.
std::string chat_format_names();

// How a call is written: "TYPE<sep>NAME\n```json\nARGUMENTS\n```" or "NAME<sep>ARGUMENTS".
enum class CallSyntax { kFenced, kPlain };
CallSyntax call_syntax(ChatFormat format);

// What a model of this format can do. R1 always thinks, V3 never, V3.1 as asked.
struct ThinkingSupport {
  bool thinking = false;      // it can think before it answers
  bool non_thinking = false;  // it can answer at once
};
ThinkingSupport thinking_support(ChatFormat format);

struct ChatOptions {
  std::optional<bool> thinking;        // read by v3.1 and v3.2-exp alone; absent means false
  bool add_generation_prompt = false;  // end with what makes the model answer
  // Text that belongs to the system text and follows it (chat_tools.h); not owned, may be null.
  const Rendered* tool_prompt = nullptr;
  // The last message is an assistant's that the model shall continue: leave out the end of sentence after it.
  bool open_end = false;
};

// Renders `messages`, a JSON array of objects as the chat API has them, as the official template does: null,
// absent and empty values all differ, nothing is trimmed or escaped, unknown roles and keys are passed over.
// Where the template raises, the Error names the message and its key.
Result<Rendered> render_chat(ChatFormat format, const nlohmann::ordered_json& messages,
                             const ChatOptions& options);

// One user message with a generation prompt.
Rendered render_user(ChatFormat format, std::string_view text, std::optional<bool> thinking);

// The layout for filling in the middle: beginning of sentence, the text before the gap, the text after it.
Rendered render_fim(std::string_view prefix, std::string_view suffix);

}  // namespace fathom::text
