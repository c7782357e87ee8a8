// Envelopes, access, routes, caps and figures.
#include <gtest/gtest.h>

#include <set>

#include "server/access.h"
#include "server/errors.h"
#include "server/histogram.h"
#include "server/ids.h"
#include "server/router.h"
#include "server/served_model.h"
#include "server/thought_limit.h"
#include "server/workers.h"

namespace fathom::server {
namespace {

OrderedJson body_of(const net::Response& r) { return parse_ordered_json(r.body, "").value(); }

TEST(Errors, EachApiHasItsEnvelope) {
  const Refusal refusal = bad_value("top_p", "must be less");
  const net::Response openai = error_response(Api::kOpenAi, refusal);
  EXPECT_EQ(openai.status, 422);
  EXPECT_EQ(body_of(openai)["error"]["param"], "top_p");
  const net::Response anthropic = error_response(Api::kAnthropic, refusal);
  EXPECT_EQ(anthropic.status, 400);
  EXPECT_EQ(body_of(anthropic)["type"], "error");
  EXPECT_EQ(body_of(anthropic)["error"]["type"], "invalid_request_error");
}

TEST(Errors, StatusesHaveTypesAndHeaders) {
  Refusal busy(429, "full");
  busy.retry_after_s = 5;
  const net::Response r = error_response(Api::kOpenAi, busy);
  EXPECT_EQ(r.headers.get("Retry-After"), "5");
  EXPECT_EQ(body_of(r)["error"]["code"], "queue_full");
  EXPECT_EQ(body_of(error_response(Api::kAnthropic, Refusal(503, "x")))["error"]["type"], "overloaded_error");
  EXPECT_EQ(error_response(Api::kOpenAi, Refusal(401, "x")).headers.get("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(error_json(Api::kOpenAi, Refusal(500, "x"), true)["error"]["status"], 500);
}

TEST(Access, Keys) {
  const std::vector<std::string> keys = {"alpha", "beta"};
  const auto ask = [&keys](const char* name, const char* value) {
    net::Request r;
    r.headers.set(name, value);
    return has_key(r, keys);
  };
  EXPECT_TRUE(ask("Authorization", "Bearer alpha"));
  EXPECT_TRUE(ask("authorization", "bearer  beta"));
  EXPECT_TRUE(ask("x-api-key", "beta"));
  for (const char* wrong : {"Bearer alph", "Bearer alphaa", "Bearer ", "Bearer", "Basic alpha", "alpha", ""})
    EXPECT_FALSE(ask("Authorization", wrong)) << wrong;
  EXPECT_FALSE(has_key(net::Request{}, keys));
}

TEST(Access, HostNames) {
  const auto fits = [](const char* host) {
    net::Request r;
    r.headers.set("Host", host);
    return names_loopback(r);
  };
  for (const char* good :
       {"localhost", "LocalHost:80", "localhost.", "127.0.0.1", "127.1.2.3:8000", "[::1]", "[::1]:8000"})
    EXPECT_TRUE(fits(good)) << good;
  for (const char* bad : {"", "example.com", "localhost.example", "127.0.0.1.example", "127.0.0.1x", "[::2]",
                          "[::1", "10.0.0.1"})
    EXPECT_FALSE(fits(bad)) << bad;
}

TEST(Access, OriginsOffUnlessAsked) {
  net::Request r;
  r.method = "OPTIONS";
  r.headers.set("Origin", "https://a.example");
  r.headers.set("Access-Control-Request-Method", "POST");
  EXPECT_TRUE(cors_headers(r, {}).empty());
  EXPECT_FALSE(is_preflight(r, {}));
  ServiceOptions some;
  some.cors_origins = {"https://a.example"};
  EXPECT_EQ(cors_headers(r, some).get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_TRUE(is_preflight(r, some));
  some.cors_origins = {"https://b.example"};
  EXPECT_EQ(cors_headers(r, some).get("Access-Control-Allow-Origin"), "");
}

int status_of(const char* method, const char* path) {
  net::Request r;
  r.method = method;
  r.path = path;
  try {
    route_of(r);
    return 200;
  } catch (const Refusal& refusal) {
    return refusal.status;
  }
}

TEST(Router, FindsAndRefuses) {
  for (const Route& route : routes()) {
    if (route.pattern.find('{') != std::string_view::npos) continue;
    EXPECT_EQ(status_of(std::string(route.method).c_str(), std::string(route.pattern).c_str()), 200)
        << route.pattern;
  }
  EXPECT_EQ(status_of("HEAD", "/v1/models"), 200);
  EXPECT_EQ(status_of("GET", "/v1/models/x"), 200);
  EXPECT_EQ(status_of("GET", "/v1/models/x/y"), 404);
  EXPECT_EQ(status_of("GET", "/v1/models/"), 404);
  EXPECT_EQ(status_of("GET", "/v1/chat/completions"), 405);
  EXPECT_EQ(status_of("POST", "/health"), 405);
  EXPECT_EQ(status_of("GET", "/v2"), 404);
}

TEST(Temperature, AsDeepSeekMapsIt) {
  EXPECT_DOUBLE_EQ(deepseek_temperature(0), 0);
  EXPECT_DOUBLE_EQ(deepseek_temperature(1), 0.3);
  EXPECT_DOUBLE_EQ(deepseek_temperature(2), 1.3);
  EXPECT_NEAR(deepseek_temperature(1 + 1e-9), deepseek_temperature(1), 1e-8);
}

TEST(ThoughtLimit, ForcesTheEnd) {
  ThoughtLimit limit({.end = 70, .forced = {70}}, 2, 128, nullptr);
  EXPECT_TRUE(limit.allowed().empty());
  limit.accept(1);
  EXPECT_TRUE(limit.allowed().empty());
  limit.accept(2);
  const auto bits = limit.allowed();
  for (int64_t t = 0; t < 128; ++t) EXPECT_EQ(infer::has_bit(bits, t), t == 70) << t;
  limit.accept(70);
  EXPECT_TRUE(limit.allowed().empty());
}

TEST(ThoughtLimit, LeavesThoughtsThatEndThemselves) {
  ThoughtLimit limit({.end = 70, .forced = {70}}, 2, 128, nullptr);
  limit.accept(1);
  limit.accept(70);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(limit.allowed().empty());
    limit.accept(3);
  }
}

TEST(Histogram, CountsCumulatively) {
  Histogram h;
  h.observe(0.0004);
  h.observe(0.004);
  h.observe(1000);
  std::string text;
  h.write(text, "x", "help");
  EXPECT_NE(text.find("x_bucket{le=\"0.0005\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("x_bucket{le=\"0.005\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("x_bucket{le=\"+Inf\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("x_count 3\n"), std::string::npos);
}

TEST(Ids, AreUnique) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random_id("call_"));
    const std::string uuid = random_uuid();
    EXPECT_EQ(uuid.size(), 36u);
    EXPECT_EQ(uuid[14], '4');
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 2000u);
}

TEST(Workers, RunEverythingBeforeTheyEnd) {
  std::atomic<int> done{0};
  {
    Workers workers(2, 100);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(workers.post([&done] { ++done; }));
  }
  EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace fathom::server
