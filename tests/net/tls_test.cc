#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "net/client.h"
#include "net/server.h"
#include "net/sse.h"
#include "tests/net/certificate.h"
#include "tests/net/raw_client.h"

namespace fathom::net {
namespace {

using test::eventually;
using test::RawClient;
using namespace std::chrono_literals;

class Tls : public ::testing::Test {
 protected:
  ServerOptions options() {
    ServerOptions options;
    options.tls_certificate = certificate_.certificate();
    options.tls_key = certificate_.key();
    return options;
  }
  ClientOptions trusting(const Server& server) {
    return {.base_url = server.address().url(), .ca_file = certificate_.certificate()};
  }
  test::Certificate certificate_;
};

void echo_tls(Request request, const std::shared_ptr<Exchange>& exchange) {
  exchange->respond({200, {{"X-Tls", request.tls ? "yes" : "no"}}, request.body});
}

TEST_F(Tls, RoundTrips) {
  Server server(options(), echo_tls);
  server.start();
  EXPECT_TRUE(server.address().url().starts_with("https://127.0.0.1:"));
  HttpClient client(trusting(server));
  for (const size_t size : {0u, 1u, 20'000u, 3'000'000u}) {
    const Response response = client.post("/", std::string(size, 't')).value();
    EXPECT_EQ(response.body, std::string(size, 't'));
    EXPECT_EQ(response.headers.get("x-tls"), "yes");
  }
  EXPECT_EQ(server.stats().accepted, 1u);
}

TEST_F(Tls, TheClientVerifies) {
  Server server(options(), echo_tls);
  server.start();
  HttpClient strict({.base_url = server.address().url()});
  const auto refused = strict.get("/");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().line().find("TLS"), std::string::npos);
  HttpClient lax({.base_url = server.address().url(), .verify = false});
  EXPECT_EQ(lax.get("/").value().status, 200);
  HttpClient named({.base_url = "https://localhost:" + std::to_string(server.address().port),
                    .ca_file = certificate_.certificate()});
  EXPECT_EQ(named.get("/").value().status, 200);
  // Trusted, but made for another address.
  HttpClient other({.base_url = "https://127.0.0.2:" + std::to_string(server.address().port),
                    .ca_file = certificate_.certificate()});
  EXPECT_FALSE(other.get("/"));
}

TEST_F(Tls, StreamsToManyAndSeesThemLeave) {
  std::atomic<int> gone{0};
  std::mutex mutex;
  std::vector<std::thread> workers;
  Server server(options(), [&](Request request, std::shared_ptr<Exchange> exchange) {
    exchange->on_disconnect([&gone] { ++gone; });
    const bool endless = request.path == "/endless";
    const std::lock_guard lock(mutex);
    workers.emplace_back([exchange = std::move(exchange), endless] {
      exchange->begin(200, {});
      for (int i = 0; endless || i < 200; ++i) {
        if (!exchange->write(sse_event(std::to_string(i)))) return;
        if (endless) std::this_thread::sleep_for(1ms);
      }
      exchange->finish();
    });
  });
  server.start();
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&, i] {
      HttpClient client(trusting(server));
      int next = 0;
      const bool leave = i % 2 == 1;
      const auto response =
          client.post_for_events(leave ? "/endless" : "/", "{}", [&](const SseEvent& event) {
            EXPECT_EQ(event.data, std::to_string(next));
            return ++next < 100 || !leave;
          });
      good += response && next == (leave ? 100 : 200);
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 16);
  EXPECT_TRUE(eventually([&] { return gone == 8 && server.stats().connections == 0; }));
  server.stop();
  for (auto& worker : workers) worker.join();
}

TEST_F(Tls, GarbageAndSilenceInsteadOfAHandshakeEnd) {
  ServerOptions slow = options();
  slow.limits.header_time = 300ms;
  Server server(slow, echo_tls);
  server.start();
  RawClient plain(server.address().port), silent(server.address().port), cut(server.address().port);
  plain.send(test::get("/"));
  cut.send("\x16\x03\x01\x02");
  cut.close();
  plain.read_all();
  EXPECT_TRUE(plain.closed());
  silent.read_all();
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(eventually([&] { return server.stats().connections == 0; }));
  HttpClient client(trusting(server));
  EXPECT_EQ(client.get("/").value().status, 200);
}

TEST_F(Tls, DrainsAndStops) {
  std::shared_ptr<Exchange> held;
  std::atomic<bool> arrived{false};
  Server server(options(), [&](Request, std::shared_ptr<Exchange> exchange) {
    held = std::move(exchange);
    arrived = true;
  });
  server.start();
  std::thread asking([&] {
    HttpClient client(trusting(server));
    EXPECT_EQ(client.get("/").value().body, "bye");
  });
  ASSERT_TRUE(eventually([&] { return arrived.load(); }));
  std::thread answering([&] {
    std::this_thread::sleep_for(100ms);
    held->respond({200, {}, "bye"});
  });
  EXPECT_TRUE(server.drain(5));
  asking.join();
  answering.join();
}

TEST_F(Tls, BadFilesAreNamed) {
  const auto message = [](ServerOptions bad) -> std::string {
    Server server(std::move(bad), echo_tls);
    try {
      server.start();
    } catch (const Exception& error) {
      return error.what();
    }
    return "started";
  };
  std::ofstream(certificate_.file("text.pem")) << "not a certificate\n";
  ServerOptions bad = options();
  bad.tls_certificate = certificate_.file("missing.pem");
  EXPECT_NE(message(bad).find("missing.pem"), std::string::npos);
  bad.tls_certificate = certificate_.file("text.pem");
  EXPECT_NE(message(bad).find("text.pem"), std::string::npos);
  bad = options();
  bad.tls_key = certificate_.file("text.pem");
  EXPECT_NE(message(bad).find("text.pem"), std::string::npos);
  bad.tls_key = "";
  EXPECT_NE(message(bad).find("key"), std::string::npos);
  const test::Certificate another;
  bad.tls_key = another.key();
  EXPECT_NE(message(bad).find("key.pem"), std::string::npos);
  EXPECT_THROW(HttpClient({.base_url = "https://localhost", .ca_file = certificate_.file("text.pem")}),
               Exception);
}

}  // namespace
}  // namespace fathom::net
