// Clients that go away, close one side, read slowly; servers that end.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "net/client.h"
#include "net/server.h"
#include "net/sse.h"
#include "tests/net/raw_client.h"

namespace fathom::net {
namespace {

using test::eventually;
using test::get;
using test::RawClient;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Holds every exchange and notes when its client went away.
struct Holder {
  std::mutex mutex;
  std::vector<std::shared_ptr<Exchange>> held;
  std::atomic<int> gone{0};
  std::atomic<Clock::rep> gone_at{0};
  bool begin = false, keep_alive = false;

  Handler handler() {
    return [this](Request, std::shared_ptr<Exchange> exchange) {
      if (keep_alive) exchange->keep_alive(1h, "\n", 200, {});
      exchange->on_disconnect([this] {
        gone_at = Clock::now().time_since_epoch().count();
        ++gone;
      });
      if (begin) exchange->begin(200, {});
      const std::lock_guard lock(mutex);
      held.push_back(std::move(exchange));
    };
  }
  size_t count() {
    const std::lock_guard lock(mutex);
    return held.size();
  }
};

enum class Way { kClose, kReset, kHalf, kBehindUnreadBytes };

class Disconnect : public ::testing::TestWithParam<std::tuple<Way, bool>> {};

TEST_P(Disconnect, IsNoticedWithinMilliseconds) {
  const auto [way, begin] = GetParam();
  Holder holder;
  holder.begin = begin;
  Server server({}, holder.handler());
  server.start();
  RawClient client(server.address().port);
  client.send(get("/"));
  ASSERT_TRUE(eventually([&] { return holder.count() == 1; }));
  std::this_thread::sleep_for(20ms);
  ASSERT_EQ(holder.gone, 0);
  if (way == Way::kBehindUnreadBytes) client.send(std::string(100'000, 'x'));
  const auto start = Clock::now();
  if (way == Way::kReset)
    client.reset();
  else if (way == Way::kHalf)
    client.end_sending();
  else
    client.close();
  ASSERT_TRUE(eventually([&] { return holder.gone == 1; }));
  const std::chrono::duration<double> latency(Clock::duration(holder.gone_at.load()) -
                                              start.time_since_epoch());
  EXPECT_LT(latency.count(), way == Way::kBehindUnreadBytes ? 1.0 : 0.1);
  EXPECT_TRUE(holder.held[0]->disconnected());
  bool called = false;
  holder.held[0]->on_disconnect([&called] { called = true; });
  EXPECT_TRUE(called) << "who asks late is told at once";
  server.stop();
  EXPECT_EQ(holder.gone, 1);
}

INSTANTIATE_TEST_SUITE_P(Ways, Disconnect,
                         ::testing::Combine(::testing::Values(Way::kClose, Way::kReset, Way::kHalf,
                                                              Way::kBehindUnreadBytes),
                                            ::testing::Bool()));

TEST(Disconnect, AHalfClosedClientStillGetsItsAnswer) {
  Holder holder;
  Server server({}, holder.handler());
  server.start();
  RawClient client(server.address().port);
  client.send(get("/1") + get("/2"));
  client.end_sending();
  ASSERT_TRUE(eventually([&] { return holder.count() == 1 && holder.gone == 1; }));
  EXPECT_TRUE(holder.held[0]->respond({200, {}, "one"}));
  ASSERT_TRUE(eventually([&] { return holder.count() == 2; }));
  EXPECT_TRUE(holder.held[1]->begin(200, {}));
  EXPECT_TRUE(holder.held[1]->write("two"));
  EXPECT_TRUE(holder.held[1]->finish());
  EXPECT_TRUE(client.read_response().ends_with("one"));
  EXPECT_TRUE(client.read_all().ends_with("3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(eventually([&] { return server.stats().connections == 0; }));
}

class ProbedDisconnect : public ::testing::TestWithParam<std::tuple<bool, bool>> {};

// With a text to send meanwhile, a client that reads on is told from one that is gone.
TEST_P(ProbedDisconnect, TellsWhoStillReads) {
  const auto [begin, early] = GetParam();
  Holder holder;
  holder.begin = begin;
  holder.keep_alive = true;
  Server server({}, holder.handler());
  server.start();
  RawClient reads(server.address().port), leaves(server.address().port);
  for (RawClient* client : {&reads, &leaves}) {
    client->send(get("/"));
    if (early) client->end_sending();
  }
  ASSERT_TRUE(eventually([&] { return holder.count() == 2; }));
  if (!early) reads.end_sending();
  const auto start = Clock::now();
  leaves.close();
  // Of the two exchanges, one is gone; that of the other goes on.
  ASSERT_TRUE(eventually([&] { return holder.gone == 1; }));
  EXPECT_LT(Clock::now() - start, 100ms);
  std::this_thread::sleep_for(50ms);
  ASSERT_EQ(holder.gone, 1);
  const auto left = std::ranges::find_if(holder.held, [](const auto& e) { return !e->disconnected(); });
  ASSERT_NE(left, holder.held.end());
  EXPECT_TRUE((*left)->respond({200, {}, "answer"}));
  EXPECT_TRUE(reads.read_all().ends_with("1\r\n\n\r\n6\r\nanswer\r\n0\r\n\r\n"));
  EXPECT_TRUE(eventually([&] { return server.stats().connections == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Ways, ProbedDisconnect, ::testing::Combine(::testing::Bool(), ::testing::Bool()));

TEST(Disconnect, AFinishedAnswerIsNoDisconnect) {
  Holder holder;
  Server server({}, holder.handler());
  server.start();
  {
    RawClient client(server.address().port);
    client.send(get("/"));
    ASSERT_TRUE(eventually([&] { return holder.count() == 1; }));
    holder.held[0]->respond({200, {}, "done"});
    EXPECT_TRUE(client.read_response().ends_with("done"));
  }
  ASSERT_TRUE(eventually([&] { return server.stats().connections == 0; }));
  EXPECT_EQ(holder.gone, 0);
}

TEST(SlowReader, IsCutOffAndNobodyElseWaits) {
  Holder holder;
  holder.begin = true;
  ServerOptions options;
  options.limits.queue_bytes = 256 << 10;
  Server server(options, holder.handler());
  server.start();
  RawClient slow(server.address().port, 4096);
  slow.send(get("/"));
  ASSERT_TRUE(eventually([&] { return holder.count() == 1; }));
  const std::string piece(10'000, 'x');
  const auto start = Clock::now();
  size_t sent = 0;
  while (holder.held[0]->write(piece)) {
    sent += piece.size();
    ASSERT_LT(sent, size_t{64} << 20) << "the queue must have a bound";
  }
  EXPECT_LT(Clock::now() - start, 5s);
  EXPECT_TRUE(eventually([&] { return holder.gone == 1; }));
  EXPECT_EQ(server.stats().overflows, 1u);
  EXPECT_TRUE(eventually([&] { return server.stats().connections == 0; }));
}

TEST(SlowReader, OfALargeAnswerRunsOutOfTime) {
  ServerOptions options;
  options.limits.write_time = 200ms;
  Server server(options, [](Request request, std::shared_ptr<Exchange> exchange) {
    exchange->respond({200, {}, request.path == "/large" ? std::string(size_t{16} << 20, 'x') : "small"});
  });
  server.start();
  RawClient slow(server.address().port, 4096);
  slow.send(get("/large"));
  ASSERT_TRUE(eventually([&] { return server.stats().requests == 1; }));
  HttpClient other({.base_url = server.address().url()});
  EXPECT_EQ(other.get("/").value().body, "small");
  EXPECT_TRUE(eventually([&] { return server.stats().connections == 1; }, 10));
  EXPECT_LT(slow.read_all(10).size(), size_t{16} << 20);
}

TEST(SlowReader, WhoPipelinesIsAnsweredOnlyAsFastAsHeReads) {
  Server server({}, [](Request, std::shared_ptr<Exchange> exchange) {
    exchange->respond({200, {}, std::string(size_t{1} << 20, 'x')});
  });
  server.start();
  RawClient slow(server.address().port, 4096);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += get("/");
  slow.send(many);
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(server.stats().requests, 20u);
}

TEST(Drain, CompletesRunningAnswersOnly) {
  Holder holder;
  holder.begin = true;
  Server server({}, holder.handler());
  server.start();
  const uint16_t port = server.address().port;
  RawClient idle(port), running(port), uploading(port);
  running.send(get("/") + get("/never"));
  uploading.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return holder.count() == 1 && server.stats().connections == 3; }));
  std::this_thread::sleep_for(50ms);
  std::thread finisher([&] {
    std::this_thread::sleep_for(300ms);
    EXPECT_TRUE(holder.held[0]->write("last words"));
    EXPECT_TRUE(holder.held[0]->finish());
  });
  const auto start = Clock::now();
  std::thread drainer([&] { EXPECT_TRUE(server.drain(10)); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(uploading.read_all().starts_with("HTTP/1.1 503"));
  const std::string answer = running.read_all();
  EXPECT_TRUE(answer.ends_with("last words\r\n0\r\n\r\n")) << answer;
  idle.close(), running.close(), uploading.close();
  drainer.join();
  finisher.join();
  EXPECT_LT(Clock::now() - start, 5s);
  EXPECT_EQ(holder.gone, 0);
  EXPECT_EQ(holder.count(), 1u) << "no new work";
  EXPECT_FALSE(RawClient(port).connected());
}

TEST(Drain, GivesUpWhenTimeIsOver) {
  Holder holder;
  Server server({}, holder.handler());
  server.start();
  RawClient client(server.address().port);
  client.send(get("/"));
  ASSERT_TRUE(eventually([&] { return holder.count() == 1; }));
  const auto start = Clock::now();
  EXPECT_FALSE(server.drain(0.2));
  EXPECT_LT(Clock::now() - start, 3s);
  EXPECT_EQ(holder.gone, 1);
  EXPECT_FALSE(holder.held[0]->respond({200, {}, "late"}));
  holder.held[0]->keep_alive(1ms, "\n", 200, {});
}

TEST(Stop, ExchangesMayOutliveTheServer) {
  Holder holder;
  {
    Server server({}, holder.handler());
    server.start();
    RawClient client(server.address().port);
    client.send(get("/"));
    ASSERT_TRUE(eventually([&] { return holder.count() == 1; }));
  }
  EXPECT_EQ(holder.gone, 1);
  EXPECT_FALSE(holder.held[0]->begin(200, {}));
  holder.held.clear();
}

}  // namespace
}  // namespace fathom::net
