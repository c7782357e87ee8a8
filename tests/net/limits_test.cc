// Hostile clients: slow, many, malformed. Nobody else is disturbed and memory stays flat.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "net/client.h"
#include "net/server.h"
#include "tests/net/raw_client.h"
#include "tests/support/build_kind.h"

namespace fathom::net {
namespace {

using test::eventually;
using test::get;
using test::RawClient;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

void echo_body(Request request, const std::shared_ptr<Exchange>& exchange) {
  exchange->respond({200, {}, request.body});
}

bool serves(const Server& server) {
  HttpClient client({.base_url = server.address().url(), .silence_time = 5s});
  const auto response = client.post("/", "ping");
  return response && response->body == "ping";
}

// The status line's number; 0 for none.
int status_of(const std::string& response) {
  return response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

TEST(Limits, SlowHeadsAndBodiesEnd) {
  ServerOptions options;
  options.limits.header_time = 300ms;
  options.limits.body_time = 300ms;
  options.limits.idle_time = 300ms;
  Server server(options, echo_body);
  server.start();
  const auto start = Clock::now();
  RawClient silent(server.address().port), head(server.address().port), body(server.address().port),
      dripping(server.address().port);
  head.send("GET / HTTP/1.1\r\nHo");
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  std::thread drip([&dripping] {
    // Every byte comes in time, the request does not.
    for (int i = 0; i < 100 && dripping.send(i == 0 ? "GET / HTTP/1.1\r\nX: " : "x"); ++i)
      std::this_thread::sleep_for(30ms);
  });
  EXPECT_EQ(silent.read_all(), "") << "nothing was asked, nothing is answered";
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(status_of(head.read_all()), 408);
  EXPECT_EQ(status_of(body.read_all()), 408);
  EXPECT_EQ(status_of(dripping.read_until("\r\n\r\n")), 408);
  EXPECT_LT(Clock::now() - start, 3s);
  drip.join();
  EXPECT_TRUE(serves(server));
}

TEST(Limits, ErrorsAreRenderedAndReadable) {
  ServerOptions options;
  options.limits.parse.body_bytes = 1000;
  options.limits.parse.header_bytes = 2000;
  Server server(options, echo_body, [](const HttpError& error, const Request& head) {
    return Response{
        error.status, {{"Content-Type", "application/json"}}, "{" + head.path + "|" + error.message + "}"};
  });
  server.start();
  const auto ask = [&server](const std::string& bytes) {
    RawClient client(server.address().port);
    client.send(bytes);
    return client.read_all();
  };
  // The client sends far more than the server will read and must see the answer all the same.
  const std::string large =
      ask("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + std::string(3'000'000, 'x'));
  EXPECT_EQ(status_of(large), 413);
  EXPECT_NE(large.find("{/p|the body is longer than 1000 bytes}"), std::string::npos) << large;
  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nX: " + std::string(5000, 'x'))), 431);
  EXPECT_EQ(status_of(ask("GET /" + std::string(5000, 'x'))), 414);
  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\n\r\n")), 400);
  EXPECT_EQ(
      status_of(ask(
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
      400);
  EXPECT_EQ(status_of(ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n")), 501);
  const std::string after_good = ask(get("/") + "garbage\r\n\r\n" + get("/"));
  EXPECT_EQ(status_of(after_good), 200);
  EXPECT_NE(after_good.find("HTTP/1.1 400"), std::string::npos);
  EXPECT_EQ(after_good.find("HTTP/1.1 200", 1), std::string::npos) << "nothing after garbage is a request";
  EXPECT_TRUE(serves(server));
}

TEST(Limits, ConnectionsBeyondTheLimitAreTold) {
  ServerOptions options;
  options.limits.connections = 3;
  Server server(options, echo_body);
  server.start();
  std::vector<std::unique_ptr<RawClient>> held;
  for (int i = 0; i < 3; ++i) held.push_back(std::make_unique<RawClient>(server.address().port));
  ASSERT_TRUE(eventually([&] { return server.stats().connections == 3; }));
  RawClient extra(server.address().port);
  extra.send(get("/"));
  EXPECT_EQ(status_of(extra.read_all()), 503);
  extra.close();
  held.pop_back();
  ASSERT_TRUE(eventually([&] { return server.stats().connections == 2; }));
  EXPECT_TRUE(serves(server));
}

TEST(Limits, BodiesOfAllConnectionsTogether) {
  ServerOptions options;
  options.limits.all_body_bytes = 1'000'000;
  Server server(options, echo_body);
  server.start();
  std::vector<std::unique_ptr<RawClient>> clients;
  std::string refused;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.address().port));
    clients.back()->send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n" +
                         std::string(300'000, 'x'));
    ASSERT_TRUE(eventually(
        [&] { return i >= 3 || server.stats().body_bytes == 300'000u * static_cast<unsigned>(i + 1); }));
  }
  EXPECT_EQ(status_of(clients[3]->read_response()), 503);
  EXPECT_EQ(status_of(clients[4]->read_response()), 503);
  clients[0]->send(std::string(100'000, 'x'));
  EXPECT_EQ(status_of(clients[0]->read_response()), 200);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return server.stats().body_bytes == 0; }));
}

TEST(Limits, AThousandIdleConnectionsAreCheap) {
  ASSERT_GE(raise_open_file_limit(4096), 2200u) << "the test holds both ends of 1,000 connections";
  Server server({}, echo_body);
  server.start();
  ASSERT_TRUE(serves(server));
  const auto connect_thousand = [&server] {
    std::vector<std::unique_ptr<RawClient>> idle;
    for (int i = 0; i < 1000; ++i) {
      idle.push_back(std::make_unique<RawClient>(server.address().port));
      EXPECT_TRUE(idle.back()->connected());
      if (i % 2) idle.back()->send(get("/"));
    }
    for (int i = 1; i < 1000; i += 2)
      EXPECT_EQ(status_of(idle[static_cast<size_t>(i)]->read_response()), 200);
    EXPECT_TRUE(eventually([&] { return server.stats().connections == 1000; }));
    EXPECT_TRUE(serves(server));
    const size_t bytes = test::resident_bytes();
    idle.clear();
    EXPECT_TRUE(eventually([&] { return server.stats().connections == 0; }));
    return bytes;
  };
  const size_t before = test::resident_bytes();
  const size_t first = connect_thousand();
  size_t last = first;
  for (int i = 0; i < 3; ++i) last = connect_thousand();
  RecordProperty("bytes_per_idle_connection", static_cast<int>((first - before) / 1000));
  if (test::kSanitized) return;
  EXPECT_LT(first - before, size_t{32} << 20) << "at most 32 KiB each";
  EXPECT_LT(last, first + (size_t{4} << 20)) << "and no more the fourth time";
}

std::string malformed(uint64_t seed) {
  std::mt19937_64 generator(seed);
  const auto below = [&generator](uint64_t limit) { return generator() % limit; };
  static const std::string kGood[] = {
      get("/v1/models", "Accept: */*\r\n"),
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: 13\r\n\r\n{\"stream\": 1}",
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"};
  std::string bytes = kGood[below(3)];
  for (uint64_t edits = 1 + below(6); edits > 0; --edits) {
    const size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes.erase(at, 1 + below(8));
        break;
      case 2:
        bytes.insert(at, std::string(1 + below(20), static_cast<char>(below(256))));
        break;
      case 3:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(40)));
        break;
      default:
        bytes.insert(at, below(2) ? "\r\n" : std::string(1, '\0'));
    }
    if (bytes.empty()) bytes = "x";
  }
  return bytes;
}

TEST(Limits, TenThousandMalformedRequests) {
  ServerOptions options;
  options.limits.linger_time = 100ms;
  Server server(options, echo_body);
  server.start();
  std::atomic<bool> stop{false};
  std::atomic<int> disturbed{0}, served{0};
  std::thread neighbour([&] {
    HttpClient client({.base_url = server.address().url()});
    while (!stop) {
      const auto response = client.post("/", "ping");
      ++(response && response->body == "ping" ? served : disturbed);
      std::this_thread::sleep_for(1ms);
    }
  });
  size_t settled = 0;
  int answered = 0;
  for (uint64_t i = 0; i < 10'000; ++i) {
    RawClient client(server.address().port);
    client.send(malformed(i));
    client.end_sending();
    const std::string answer = client.read_all();
    ASSERT_TRUE(client.closed()) << "request " << i << " hangs";
    if (!answer.empty()) {
      const int status = status_of(answer);
      ASSERT_TRUE(status == 100 || status == 200 || (status >= 400 && status < 506 && status != 500))
          << answer;
      ++answered;
    }
    if (i == 2'000) settled = test::resident_bytes();
  }
  stop = true;
  neighbour.join();
  EXPECT_GT(answered, 5'000);
  EXPECT_EQ(disturbed, 0);
  EXPECT_GT(served, 100);
  EXPECT_TRUE(eventually([&] { return server.stats().connections <= 1; }));
  if (test::kSanitized) return;
  EXPECT_LT(test::resident_bytes(), settled + (size_t{4} << 20));
}

}  // namespace
}  // namespace fathom::net
