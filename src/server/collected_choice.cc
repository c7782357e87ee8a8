#include "server/collected_choice.h"

#include "server/ids.h"
#include "server/usage_render.h"

namespace fathom::server {
namespace {

void move_all(OrderedJson& from, OrderedJson& to) {
  for (OrderedJson& entry : from) to.push_back(std::move(entry));
  from = OrderedJson::array();
}

}  // namespace

std::string call_id(int call) {
  return random_id(call < 10 ? "call_0" + std::to_string(call) + "_" : "call_" + std::to_string(call) + "_");
}

void CollectedChoice::take(const AnswerUpdate& u, const text::Tokenizer& tokenizer) {
  using Kind = text::OutputEvent::Kind;
  if (u.token != nullptr && u.token->logprobs != nullptr && !u.token->special)
    (u.token->thought ? waiting_thoughts_ : waiting_content_)
        .push_back(logprob_json(tokenizer, *u.token->logprobs));
  for (const text::OutputEvent& event : u.events) {
    if (event.kind == Kind::kContent || event.kind == Kind::kReasoning) {
      (event.kind == Kind::kContent ? content : reasoning) += event.text;
      move_all(waiting_content_, content_logprobs);
      move_all(waiting_thoughts_, thought_logprobs);
      continue;
    }
    waiting_content_ = OrderedJson::array();
    if (event.kind == Kind::kCallBegin) calls.push_back({call_id(event.call), event.text, ""});
    if (event.kind == Kind::kCallArguments) calls.back().arguments += event.text;
  }
}

void CollectedChoice::finish(const ChoiceEnd& e) {
  end = e.finish;
  stop_string = e.stop_string;
  if (!stop_string.empty()) return;
  move_all(waiting_content_, content_logprobs);
  move_all(waiting_thoughts_, thought_logprobs);
}

}  // namespace fathom::server
