#include "bench/serving_load.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/clock.h"
#include "base/json.h"
#include "base/rng.h"
#include "net/client.h"

namespace fathom::bench {
namespace {

constexpr const char* kWords[] = {"river", "garden", "seven", "Friday", "count", "letter", "what", "reverse",
                                  "is",    "day",    "the",   "mean",   "word",  "plus",   "of",   "who"};

net::HttpClient connect(const LoadPlan& plan) {
  net::ClientOptions options;
  options.base_url = plan.address;
  return net::HttpClient(options);
}

// What the pieces say; parsed after the clock has stopped, so that the client costs the server little.
void read_pieces(const std::vector<std::string>& pieces, Answer& out) {
  for (const std::string& piece : pieces) {
    if (piece == "[DONE]") return;
    const auto parsed = parse_ordered_json(piece, "event");
    if (!parsed) {
      out.error = "an event is no JSON";
      return;
    }
    const OrderedJson& e = *parsed;
    if (e.contains("error")) out.error = e["error"].dump();
    for (const OrderedJson& choice : e.value("choices", OrderedJson::array()))
      for (const char* key : {"reasoning_content", "content"})
        if (choice["delta"].contains(key) && choice["delta"][key].is_string())
          out.text += choice["delta"][key].get<std::string>();
    if (!e.contains("usage") || !e["usage"].is_object()) continue;
    out.tokens = e["usage"].value("completion_tokens", int64_t{0});
    out.cached = e["usage"].value("prompt_cache_hit_tokens", int64_t{0});
  }
  out.error = "the stream ended without [DONE]";
}

Answer ask(net::HttpClient& client, const LoadPlan& plan, int index) {
  Answer out;
  std::vector<std::string> pieces;
  const Stopwatch clock;
  double last = 0;
  const auto response = client.post_for_events("/v1/chat/completions", request_body(plan, index),
                                               [&](const net::SseEvent& event) {
                                                 const double now = clock.seconds();
                                                 if (pieces.empty())
                                                   out.first = now;
                                                 else
                                                   out.gaps.push_back(now - last);
                                                 last = now;
                                                 pieces.push_back(event.data);
                                                 return true;
                                               });
  out.end = clock.seconds();
  if (!response)
    out.error = response.error().line();
  else if (response->status != 200)
    out.error = std::to_string(response->status) + ": " + response->body.substr(0, 200);
  else
    read_pieces(pieces, out);
  return out;
}

}  // namespace

std::string request_body(const LoadPlan& plan, int index) {
  std::string prompt;
  for (int i = 0; i < plan.prompt_words; ++i)
    prompt +=
        std::string(i == 0 ? "" : " ") +
        kWords[philox(static_cast<uint64_t>(index), static_cast<uint64_t>(i), 0)[0] % std::size(kWords)];
  OrderedJson body = {{"model", plan.model},
                      {"messages", {{{"role", "user"}, {"content", prompt}}}},
                      {"stream", true},
                      {"max_tokens", plan.tokens},
                      {"temperature", plan.temperature},
                      {"seed", index}};
  std::string text = json_text(body);
  if (!plan.fields.empty()) {
    text.back() = ',';
    text += plan.fields + "}";
  }
  return text;
}

Answer ask_alone(const LoadPlan& plan, int index) {
  net::HttpClient client = connect(plan);
  return ask(client, plan, index);
}

LoadResult run_load(const LoadPlan& plan) {
  LoadResult out;
  out.answers.resize(static_cast<size_t>(plan.streams * plan.requests));
  const Stopwatch clock;
  std::vector<std::thread> threads;
  for (int s = 0; s < plan.streams; ++s)
    threads.emplace_back([&plan, &out, s] {
      net::HttpClient client = connect(plan);
      for (int r = 0; r < plan.requests; ++r) {
        const int index = s * plan.requests + r;
        out.answers[static_cast<size_t>(index)] = ask(client, plan, index);
      }
    });
  for (std::thread& t : threads) t.join();
  out.seconds = clock.seconds();
  return out;
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(std::ceil(share * last))];
}

}  // namespace fathom::bench
