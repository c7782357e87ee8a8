#include "server/model_list.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "infer/expert_record.h"
#include "server/chat_prompt.h"

namespace fathom::server {
namespace {

OrderedJson capabilities(const ServedModel& model) {
  const model::Config& c = model.engine.model().config;
  const std::vector<int64_t> layers = infer::expert_layers(c);
  OrderedJson experts;
  if (!layers.empty())
    experts = {{"layers", layers}, {"routed", c.n_routed_experts}, {"top_k", c.num_experts_per_tok}};
  return {{"context", std::min(model.engine.context_tokens(), model.engine.cache_tokens())},
          {"thinking", model.thinking().thinking},
          {"non_thinking", model.thinking().non_thinking},
          {"tools", model.format.has_value()},
          {"mtp", model.mtp},
          {"experts", std::move(experts)}};
}

OrderedJson entry(const ServedModel& model, const std::string& id) {
  return {{"id", id},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "deepseek"},
          {"type", "model"},
          {"display_name", id},
          {"created_at",
           fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(model.created)))}};
}

std::vector<std::string> names(const ServedModel& model) {
  std::vector<std::string> out = {model.name};
  if (model.thinking().non_thinking && model.name != kChatName) out.emplace_back(kChatName);
  if (model.thinking().thinking && model.name != kReasonerName) out.emplace_back(kReasonerName);
  return out;
}

}  // namespace

OrderedJson model_entry(const ServedModel& model, std::string_view id) {
  for (const std::string& name : names(model)) {
    if (name != id) continue;
    OrderedJson out = entry(model, name);
    if (name == model.name) out["fathom"] = capabilities(model);
    return out;
  }
  return {};
}

OrderedJson model_list(const ServedModel& model) {
  OrderedJson data = OrderedJson::array();
  for (const std::string& name : names(model)) data.push_back(model_entry(model, name));
  const OrderedJson first = data.front()["id"], last = data.back()["id"];
  return {{"object", "list"},
          {"data", std::move(data)},
          {"has_more", false},
          {"first_id", first},
          {"last_id", last}};
}

OrderedJson balance() {
  OrderedJson infos = OrderedJson::array();
  infos.push_back({{"currency", "USD"},
                   {"total_balance", "0.00"},
                   {"granted_balance", "0.00"},
                   {"topped_up_balance", "0.00"}});
  return {{"is_available", true}, {"balance_infos", std::move(infos)}};
}

}  // namespace fathom::server
