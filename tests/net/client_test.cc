#include "net/client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <thread>

#include "net/server.h"
#include "tests/net/raw_client.h"

namespace fathom::net {
namespace {

using namespace std::chrono_literals;

// Accepts one connection after another and answers each with fixed bytes.
class Canned {
 public:
  Canned(std::string answer, int times) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    bind(fd_, reinterpret_cast<sockaddr*>(&at), size);
    listen(fd_, 8);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this, answer = std::move(answer), times] {
      for (int i = 0; i < times; ++i) {
        const int peer = accept(fd_, nullptr, nullptr);
        char buffer[4096];
        if (recv(peer, buffer, sizeof buffer, 0) > 0) send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
        close(peer);
      }
    });
  }
  ~Canned() {
    thread_.join();
    close(fd_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_;
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST(Client, ReadsOtherServersAnswers) {
  const auto body = [](const std::string& answer) -> std::string {
    Canned server(answer, 1);
    HttpClient client({.base_url = server.url()});
    const auto response = client.post("/", "{}");
    return response ? response->body : "error: " + response.error().line();
  };
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\n\r\nuntil close"), "until close");
  EXPECT_EQ(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "ok");
  EXPECT_EQ(body("HTTP/1.0 404 Nope\r\nContent-Length: 2\r\n\r\nno"), "no");
  EXPECT_TRUE(body("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort").starts_with("error: http://127"));
  EXPECT_TRUE(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").starts_with("error: "));
  EXPECT_TRUE(body("SSH-2.0-OpenSSH\r\n\r\n").starts_with("error: "));
  EXPECT_TRUE(body("").starts_with("error: "));
}

TEST(Client, TellsWhatIsWrong) {
  EXPECT_THROW(HttpClient({.base_url = "localhost:1"}), Exception);
  HttpClient nobody({.base_url = "http://127.0.0.1:1"});
  const auto refused = nobody.get("/");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().line().find("127.0.0.1:1"), std::string::npos);
  EXPECT_LT(refused.error().line().size(), 400u);
}

TEST(Client, SilenceHasALimit) {
  std::shared_ptr<Exchange> held;
  Server server({}, [&held](Request, std::shared_ptr<Exchange> exchange) { held = std::move(exchange); });
  server.start();
  HttpClient client({.base_url = server.address().url(), .silence_time = 200ms});
  const auto start = std::chrono::steady_clock::now();
  const auto response = client.post("/", "{}");
  ASSERT_FALSE(response);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  server.stop();
}

TEST(Client, AnswersHaveALimit) {
  Server server({}, [](Request, std::shared_ptr<Exchange> exchange) {
    exchange->respond({200, {}, std::string(100'000, 'x')});
  });
  server.start();
  HttpClient client({.base_url = server.address().url(), .body_bytes = 50'000});
  EXPECT_FALSE(client.get("/"));
}

TEST(Client, ReconnectsWhenTheServerClosedAKeptConnection) {
  ServerOptions options;
  options.limits.idle_time = 100ms;
  Server server(options, [](Request, std::shared_ptr<Exchange> exchange) {
    exchange->respond({200, {}, "x"});
  });
  server.start();
  HttpClient client({.base_url = server.address().url()});
  EXPECT_EQ(client.post("/", "1").value().body, "x");
  ASSERT_TRUE(test::eventually([&] { return server.stats().connections == 0; }));
  EXPECT_EQ(client.post("/", "2").value().body, "x");
  EXPECT_EQ(server.stats().accepted, 2u);
}

TEST(Client, AnErrorAnswerIsNotAStream) {
  Server server({}, [](Request, std::shared_ptr<Exchange> exchange) {
    exchange->respond({400, {}, "{\"error\":1}"});
  });
  server.start();
  HttpClient client({.base_url = server.address().url()});
  int events = 0;
  const auto response =
      client.post_for_events("/", "{}", [&events](const SseEvent&) { return ++events > 0; });
  EXPECT_EQ(response.value().status, 400);
  EXPECT_EQ(response.value().body, "{\"error\":1}");
  EXPECT_EQ(events, 0);
}

}  // namespace
}  // namespace fathom::net
