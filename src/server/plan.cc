#include "server/plan.h"

#include <algorithm>

#include "server/constraints.h"
#include "text/chat_format.h"

namespace fathom::server {
namespace {

// As many tokens as context and cache leave.
int64_t clamped(int64_t wanted, size_t prompt, const ServedModel& model) {
  const int64_t room = std::min(model.engine.context_tokens(), model.engine.cache_tokens());
  return std::min(wanted, room - static_cast<int64_t>(prompt));
}

infer::Request engine_request(const CommonFields& r, std::vector<int32_t> prompt, const ServedModel& model,
                              const ServiceOptions& options) {
  infer::Request out;
  out.max_tokens = clamped(r.max_tokens.value_or(options.default_max_tokens), prompt.size(), model);
  out.prompt = std::move(prompt);
  out.sampling = sampling_of(r.sampling, model, options);
  out.stop_ids = model.stop_ids;
  out.stop = r.stop;
  out.logprobs = r.logprobs;
  out.experts = r.experts;
  return out;
}

// Seeds of the second and later choices of one prompt.
uint64_t seed_of(uint64_t seed, int64_t choice) {
  return seed + static_cast<uint64_t>(choice) * 0x9E3779B97F4A7C15;
}

// Whether it was missing.
bool add_bos(std::vector<int32_t>& ids, const text::Tokenizer& tokenizer) {
  const auto bos = tokenizer.bos_id();
  if (!bos || !tokenizer.add_bos() || (!ids.empty() && ids.front() == *bos)) return false;
  ids.insert(ids.begin(), *bos);
  return true;
}

struct Prompt {
  std::vector<int32_t> ids;
  bool has_added_bos = false;  // the first token is none of the client's
};

void check_ids(const std::vector<int32_t>& ids, const ServedModel& model) {
  const int64_t vocab = model.engine.model().config.vocab_size;
  for (const int32_t id : ids)
    if (id >= vocab)
      throw bad_value("prompt",
                      "token " + std::to_string(id) + " does not exist; there are " + std::to_string(vocab));
}

// The layout for filling in the middle, around a text or around ids.
std::vector<int32_t> fim_prompt(const CompletionRequest::Prompt& prompt, const std::string& suffix,
                                const text::Tokenizer& tokenizer) {
  const auto begin = tokenizer.id_of("<｜fim▁begin｜>");
  if (!begin || !tokenizer.id_of("<｜fim▁hole｜>") || !tokenizer.id_of("<｜fim▁end｜>"))
    throw Refusal(400, "suffix: this model has no tokens for filling in the middle", "suffix",
                  "not_supported");
  const auto* text = std::get_if<std::string>(&prompt);
  const text::Rendered rendered = text::render_fim(text != nullptr ? *text : "", suffix);
  std::vector<int32_t> out = tokenizer.encode(rendered.text, rendered.spans);
  if (text != nullptr) return out;
  const auto& ids = std::get<std::vector<int32_t>>(prompt);
  out.insert(std::ranges::find(out, *begin) + 1, ids.begin(), ids.end());
  return out;
}

Prompt completion_prompt(const CompletionRequest& r, size_t index, const ServedModel& model) {
  const auto& prompt = r.prompts[index];
  const auto* ids = std::get_if<std::vector<int32_t>>(&prompt);
  if (ids != nullptr) check_ids(*ids, model);
  if (r.suffix) return {fim_prompt(prompt, *r.suffix, model.tokenizer)};
  if (ids != nullptr) return {*ids};
  Prompt out{model.tokenizer.encode(std::get<std::string>(prompt), text::Special::recognised)};
  out.has_added_bos = add_bos(out.ids, model.tokenizer);
  return out;
}

std::string echo_of(const CompletionRequest& r, size_t index, const ServedModel& model) {
  if (!r.echo) return {};
  const auto& prompt = r.prompts[index];
  if (const auto* text = std::get_if<std::string>(&prompt)) return *text;
  return model.tokenizer.decode(std::get<std::vector<int32_t>>(prompt));
}

}  // namespace

std::vector<int32_t> raw_prompt(const std::string& text, const text::Tokenizer& tokenizer) {
  std::vector<int32_t> ids = tokenizer.encode(text, text::Special::recognised);
  add_bos(ids, tokenizer);
  return ids;
}

ChatPlan plan_chat(const ChatRequest& r, const ServedModel& model, const ServiceOptions& options) {
  ChatPrompt prompt = chat_prompt(r, model);
  check_prompt_size(prompt.ids.size(), model, "messages");
  ChatPlan plan;
  plan.thinking = prompt.thinking;
  plan.prompt_tokens = static_cast<int64_t>(prompt.ids.size());
  ChoicePlan first;
  first.syntax = prompt.syntax;
  if (!prompt.syntax.think_as_text) {
    first.think_begin = model.tokenizer.id_of("<think>");
    first.think_end = model.tokenizer.id_of("</think>");
  }
  first.request = engine_request(r, std::move(prompt.ids), model, options);
  // Stop strings are for the answer, not for the thoughts before it.
  if (prompt.syntax.start != text::OutputSyntax::Start::kAnswer) first.answer_stops.swap(first.request.stop);
  const ConstraintPlan constraint = plan_constraint(r, prompt.syntax, model, options);
  for (int64_t i = 0; i < r.n; ++i) {
    ChoicePlan choice = first;
    choice.first_of_prompt = i == 0;
    choice.request.sampling.seed = seed_of(first.request.sampling.seed, i);
    choice.request.constraint = constraint.make();
    plan.choices.push_back(std::move(choice));
  }
  return plan;
}

CompletionPlan plan_completion(const CompletionRequest& r, const ServedModel& model,
                               const ServiceOptions& options) {
  check_model_name(r, model);
  CompletionPlan plan;
  for (size_t p = 0; p < r.prompts.size(); ++p) {
    Prompt prompt = completion_prompt(r, p, model);
    std::vector<int32_t>& ids = prompt.ids;
    if (ids.empty()) throw bad_value("prompt", "has no tokens");
    check_prompt_size(ids.size(), model, "prompt");
    ChoicePlan first;
    const bool score = r.echo && r.logprobs >= 0 && !r.suffix;
    if (score && !prompt.has_added_bos) first.first_token = ids.front();
    first.request = engine_request(r, std::move(ids), model, options);
    if (r.max_tokens == 0) {
      first.request.max_tokens = 1;
      first.discard = true;
    }
    if (score) {
      first.request.prompt_logprobs = true;
      // Who scores prompts counts the tokens that come back: an end of sequence is one of them.
      if (!first.discard) first.shown_ends.swap(first.request.stop_ids);
    }
    for (int64_t i = 0; i < r.n; ++i) {
      ChoicePlan choice = first;
      choice.first_of_prompt = i == 0;
      choice.request.sampling.seed = seed_of(first.request.sampling.seed, i);
      plan.choices.push_back(std::move(choice));
      plan.echoes.push_back(echo_of(r, p, model));
    }
  }
  return plan;
}

}  // namespace fathom::server
