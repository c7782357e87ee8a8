#include "net/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "net/client.h"
#include "net/sse.h"
#include "tests/net/raw_client.h"

namespace fathom::net {
namespace {

using test::get;
using test::RawClient;
using namespace std::chrono_literals;

void echo(Request request, const std::shared_ptr<Exchange>& exchange) {
  exchange->respond({200, {{"X-Path", request.path}, {"X-Method", request.method}}, request.body});
}

HttpClient client_of(const Server& server) { return HttpClient({.base_url = server.address().url()}); }

TEST(Server, AnswersOnAFreePort) {
  Server server({}, echo);
  server.start();
  EXPECT_GT(server.address().port, 0);
  HttpClient client({.base_url = server.address().url()});
  for (int i = 0; i < 3; ++i) {
    const Response response = client.request("PUT", "/a%20b?q", std::string(100'000, 'b')).value();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.get("x-path"), "/a b");
    EXPECT_EQ(response.body, std::string(100'000, 'b'));
  }
  EXPECT_EQ(server.stats().accepted, 1u) << "the connection is kept";
  EXPECT_EQ(server.stats().requests, 3u);
}

TEST(Server, AnotherServersPortIsOneLine) {
  Server first({}, echo);
  first.start();
  ServerOptions options;
  options.port = first.address().port;
  Server second(options, echo);
  try {
    second.start();
    FAIL();
  } catch (const Exception& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string(options.port)), std::string::npos);
  }
  options.host = "no.such.host.invalid";
  Server third(options, echo);
  EXPECT_THROW(third.start(), Exception);
}

TEST(Server, StreamsFromAnotherThread) {
  std::thread worker;
  Server server({}, [&worker](Request, std::shared_ptr<Exchange> exchange) {
    worker = std::thread([exchange = std::move(exchange)] {
      EXPECT_TRUE(exchange->begin(200, {{"Content-Type", std::string(kSseContentType)}}));
      for (int i = 0; i < 1000; ++i) ASSERT_TRUE(exchange->write(sse_event("piece " + std::to_string(i))));
      EXPECT_TRUE(exchange->finish());
      EXPECT_FALSE(exchange->write("late"));
      EXPECT_FALSE(exchange->finish());
      EXPECT_FALSE(exchange->respond({}));
    });
  });
  server.start();
  HttpClient client({.base_url = server.address().url()});
  int count = 0;
  const auto response = client.post_for_events("/", "{}", [&count](const SseEvent& event) {
    EXPECT_EQ(event.data, "piece " + std::to_string(count));
    ++count;
    return true;
  });
  EXPECT_EQ(response.value().status, 200);
  EXPECT_EQ(count, 1000);
  worker.join();
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  std::vector<std::thread> workers;
  Server server({}, [&workers](Request request, std::shared_ptr<Exchange> exchange) {
    // Earlier ones take longer.
    workers.emplace_back([path = request.path, exchange = std::move(exchange)] {
      std::this_thread::sleep_for(path == "/0" ? 50ms : 1ms);
      exchange->respond({200, {}, path});
    });
  });
  server.start();
  RawClient client(server.address().port);
  std::string all, expected;
  for (int i = 0; i < 20; ++i) all += get("/" + std::to_string(i));
  client.send("\r\n" + all);
  for (int i = 0; i < 20; ++i) {
    const std::string response = client.read_response();
    EXPECT_TRUE(response.ends_with("\r\n\r\n/" + std::to_string(i))) << response;
  }
  server.stop();
  for (auto& worker : workers) worker.join();
}

TEST(Server, PipelinedRequestsMayBeManyAndLarge) {
  Server server({}, echo);
  server.start();
  RawClient client(server.address().port);
  const std::string body(50'000, 'p');
  const std::string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n" + body;
  std::thread sender([&] {
    for (int i = 0; i < 100; ++i) client.send(request);
  });
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.read_response().ends_with(body)) << i;
  sender.join();
}

TEST(Server, HeadHasNoBody) {
  Server server({}, [](Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/stream") {
      exchange->begin(200, {});
      exchange->write("abc");
      exchange->finish();
    } else {
      exchange->respond({200, {}, "abc"});
    }
  });
  server.start();
  RawClient client(server.address().port);
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n" +
              get("/", "Connection: close\r\n"));
  const std::string all = client.read_all();
  EXPECT_EQ(all.find("Content-Length: 3\r\n\r\nHTTP/1.1 200"), all.find("Content-Length: 3"));
  EXPECT_NE(all.find("Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\nabc"));
}

TEST(Server, SpeaksHttp10) {
  Server server({}, [](Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/whole") {
      exchange->respond({200, {}, "whole"});
      return;
    }
    exchange->begin(200, {});
    exchange->write("ab");
    exchange->write("cd");
    exchange->finish();
  });
  server.start();
  RawClient client(server.address().port);
  client.send("GET /whole HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(client.read_response().find("Connection: keep-alive"), std::string::npos);
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string streamed = client.read_all();
  EXPECT_TRUE(streamed.ends_with("\r\n\r\nabcd")) << streamed;
  EXPECT_EQ(streamed.find("chunked"), std::string::npos);
  EXPECT_TRUE(client.closed());
}

TEST(Server, ContinuesWhenExpected) {
  Server server({}, echo);
  server.start();
  RawClient client(server.address().port);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_TRUE(client.read_response().ends_with("hi"));
}

TEST(Server, ScreensBeforeTheBody) {
  Server server({}, echo, {}, [](const Request& head) -> std::optional<Response> {
    if (head.headers.get("authorization") == "Bearer k") return std::nullopt;
    return Response{401, {}, "no"};
  });
  server.start();
  RawClient client(server.address().port);
  client.send(get("/"));
  EXPECT_TRUE(client.read_response().starts_with("HTTP/1.1 401"));
  client.send(get("/", "Authorization: Bearer k\r\n"));
  EXPECT_TRUE(client.read_response().starts_with("HTTP/1.1 200"));
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(client.read_response().starts_with("HTTP/1.1 401"));
  client.read_all();
  EXPECT_TRUE(client.closed());
}

TEST(Server, KeepAliveTextUntilTheAnswer) {
  std::shared_ptr<Exchange> held;
  std::mutex mutex;
  Server server({}, [&](Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/json")
      exchange->keep_alive(20ms, "\n", 200, {{"Content-Type", "application/json"}});
    if (request.path == "/sse") {
      exchange->begin(200, {{"Content-Type", "text/event-stream"}});
      exchange->keep_alive(20ms, std::string(kSseKeepAlive), 200, {});
    }
    if (request.path == "/fast") {
      exchange->keep_alive(10s, "\n", 200, {});
      exchange->respond({429, {}, "busy"});
      return;
    }
    const std::lock_guard lock(mutex);
    held = std::move(exchange);
  });
  server.start();
  const auto answer = [&] {
    const std::lock_guard lock(mutex);
    return std::exchange(held, nullptr);
  };
  RawClient client(server.address().port);
  client.send(get("/json"));
  const std::string waiting = client.read_until("1\r\n\n\r\n1\r\n\n\r\n1\r\n\n\r\n");
  EXPECT_TRUE(waiting.starts_with("HTTP/1.1 200")) << waiting;
  EXPECT_NE(waiting.find("Content-Type: application/json"), std::string::npos);
  EXPECT_TRUE(answer()->respond({500, {}, "{\"a\":1}"}));
  EXPECT_TRUE(client.read_until("0\r\n\r\n").ends_with("7\r\n{\"a\":1}\r\n0\r\n\r\n"));

  client.send(get("/sse"));
  EXPECT_NE(client.read_until(": keep-alive\n\n").find("200"), std::string::npos);
  const auto exchange = answer();
  exchange->write("data: x\n\n");
  client.read_until("data: x\n\n\r\n");
  std::this_thread::sleep_for(100ms);
  exchange->finish();
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n") << "nothing after the first real byte";

  client.send(get("/fast"));
  EXPECT_TRUE(client.read_response().starts_with("HTTP/1.1 429"));
}

TEST(Server, ADroppedOrThrowingHandlerIsAnError) {
  Server server(
      {},
      [](Request request, std::shared_ptr<Exchange> exchange) {
        if (request.path == "/throw") throw std::runtime_error("x");
        if (request.path == "/half") exchange->begin(200, {}), exchange->write("half");
        if (request.path == "/abort") exchange->begin(200, {}), exchange->write("half"), exchange->abort();
      },
      [](const HttpError& error, const Request& head) {
        return Response{error.status, {{"X-Path", head.path}}, "<" + error.message + ">"};
      });
  server.start();
  for (const char* path : {"/drop", "/throw"}) {
    RawClient client(server.address().port);
    client.send(get(path));
    const std::string response = client.read_all();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 500")) << response;
    EXPECT_NE(response.find("X-Path: " + std::string(path)), std::string::npos);
    EXPECT_TRUE(response.ends_with("<internal error>"));
  }
  for (const char* path : {"/half", "/abort"}) {
    RawClient client(server.address().port);
    client.send(get(path));
    EXPECT_FALSE(client.read_all().ends_with("0\r\n\r\n"));
    EXPECT_TRUE(client.closed());
    auto http = client_of(server);
    EXPECT_FALSE(http.get(path)) << "a client must see that the answer is cut";
  }
}

TEST(Server, SixtyFourClientsAtOnce) {
  // As an engine would: one thread answers all, a piece at a time.
  std::mutex mutex;
  std::vector<std::pair<std::shared_ptr<Exchange>, int>> running;
  std::atomic<bool> stop{false};
  Server server({}, [&](Request request, std::shared_ptr<Exchange> exchange) {
    exchange->begin(200, {{"X-Path", request.path}});
    const std::lock_guard lock(mutex);
    running.emplace_back(std::move(exchange), 0);
  });
  server.start();
  std::thread engine([&] {
    while (!stop) {
      {
        const std::lock_guard lock(mutex);
        for (auto& [exchange, step] : running) exchange->write(sse_event(std::to_string(step++)));
        std::erase_if(running, [](auto& one) { return one.second == 50 && (one.first->finish(), true); });
      }
      std::this_thread::yield();
    }
  });
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back([&] {
      HttpClient client({.base_url = server.address().url()});
      for (int round = 0; round < 5; ++round) {
        int next = 0;
        const auto response = client.post_for_events("/", "{}", [&next](const SseEvent& event) {
          return event.data == std::to_string(next) && ++next;
        });
        good += response && next == 50;
      }
    });
  }
  for (auto& client : clients) client.join();
  stop = true;
  engine.join();
  EXPECT_EQ(good, 64 * 5);
  EXPECT_EQ(server.stats().accepted, 64u);
}

TEST(Server, SeveralThreadsServe) {
  ServerOptions options;
  options.threads = 4;
  Server server(options, echo);
  server.start();
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      HttpClient client({.base_url = server.address().url()});
      for (int round = 0; round < 50; ++round) good += client.post("/", "x").value().body == "x";
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 400);
}

}  // namespace
}  // namespace fathom::net
