#include <ctime>

#include "server/anthropic_parse.h"
#include "server/anthropic_render.h"
#include "server/chat_parse.h"
#include "server/chat_render.h"
#include "server/completion_parse.h"
#include "server/completion_render.h"
#include "server/constraints.h"
#include "server/ids.h"
#include "server/responses_parse.h"
#include "server/responses_render.h"
#include "server/service.h"

namespace fathom::server {
namespace {

AnswerShape shape_of(const CommonFields& r, const ServedModel& model, size_t choices, std::string id) {
  AnswerShape shape;
  shape.id = std::move(id);
  shape.model = r.model;
  shape.fingerprint = model.fingerprint;
  shape.created = static_cast<int64_t>(std::time(nullptr));
  shape.choices = choices;
  shape.logprobs = r.logprobs >= 0;
  shape.include_usage = r.include_usage;
  shape.experts_per_layer = model.engine.model().config.num_experts_per_tok;
  return shape;
}

}  // namespace

// From here on the engine speaks to the sink, and the client's leaving to the engine.
void Service::start(std::vector<ChoicePlan> choices, std::unique_ptr<AnswerSink> sink,
                    const ReplyPtr& reply) {
  check_queue(choices.size());
  reply->accept(options_.keep_alive);
  const auto generation =
      Generation::start(model_.engine, model_.tokenizer, metrics_, std::move(choices), std::move(sink));
  reply->exchange().on_disconnect([weak = std::weak_ptr(generation)] {
    if (const auto running = weak.lock()) running->cancel();
  });
}

void Service::chat(const net::Request& request, const ReplyPtr& reply) {
  const ChatRequest r = parse_chat(request.body);
  ChatPlan plan = plan_chat(r, model_, options_);
  reply->set_streamed(r.stream);
  AnswerShape shape = shape_of(r, model_, plan.choices.size(), random_uuid());
  shape.thinking = plan.thinking;
  start(std::move(plan.choices), chat_sink(reply, std::move(shape), model_.tokenizer), reply);
}

void Service::completion(const net::Request& request, const ReplyPtr& reply) {
  const CompletionRequest r = parse_completion(request.body);
  CompletionPlan plan = plan_completion(r, model_, options_);
  reply->set_streamed(r.stream);
  CompletionShape shape{shape_of(r, model_, plan.choices.size(), random_id("cmpl-")), std::move(plan.echoes)};
  start(std::move(plan.choices), completion_sink(reply, std::move(shape), model_.tokenizer), reply);
}

void Service::messages(const net::Request& request, const ReplyPtr& reply) {
  const ChatRequest r = parse_anthropic(request.body, false);
  ChatPlan plan = plan_chat(r, model_, options_);
  reply->set_streamed(r.stream);
  MessageShape shape{.model = r.model, .prompt_tokens = plan.prompt_tokens};
  start(std::move(plan.choices), anthropic_sink(reply, std::move(shape)), reply);
}

void Service::responses(const net::Request& request, const ReplyPtr& reply) {
  ResponsesRequest r;
  ChatPlan plan;
  try {
    r = parse_responses(request.body);
    plan = plan_chat(r, model_, options_);
  } catch (Refusal& refusal) {
    // This API knows no 422.
    if (refusal.status == 422) refusal.status = 400;
    throw;
  }
  reply->set_streamed(r.stream);
  start(std::move(plan.choices),
        responses_sink(reply, std::move(r.echoed), r.logprobs >= 0, model_.tokenizer), reply);
}

OrderedJson Service::count_tokens(const net::Request& request) const {
  const ChatRequest r = parse_anthropic(request.body, true);
  const ChatPrompt prompt = chat_prompt(r, model_);
  check_schemas(r, prompt.syntax, model_);
  return {{"input_tokens", prompt.ids.size()}};
}

}  // namespace fathom::server
