// One choice of an answer, gathered until it is complete.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "server/answer.h"
#include "text/tokenizer.h"

namespace fathom::server {

struct CollectedCall {
  std::string id, name, arguments;
};

// "call_00_..." for call number 0: unique in the world.
std::string call_id(int call);

struct CollectedChoice {
  std::string reasoning, content, stop_string;
  std::vector<CollectedCall> calls;
  OrderedJson content_logprobs = OrderedJson::array(), thought_logprobs = OrderedJson::array();
  Finish end = Finish::kStop;

  void take(const AnswerUpdate& update, const text::Tokenizer& tokenizer);
  void finish(const ChoiceEnd& end);

 private:
  // Of tokens whose text is not out yet: a stop string may still cut it off.
  OrderedJson waiting_content_ = OrderedJson::array(), waiting_thoughts_ = OrderedJson::array();
};

}  // namespace fathom::server
