#include "net/message_parser.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace fathom::net {
namespace {

using State = RequestParser::State;

// Feeds `bytes` in pieces of `step`; returns what was not consumed.
std::string feed(RequestParser& parser, const std::string& bytes, size_t step = 1 << 20) {
  std::string waiting;
  for (size_t at = 0; at < bytes.size(); at += step) {
    waiting += bytes.substr(at, step);
    for (size_t used = 1; used > 0 && !waiting.empty();) {
      const State before = parser.state();
      used = parser.feed(waiting);
      waiting.erase(0, used);
      if (parser.state() != before) used = 1;
      if (parser.state() == State::kDone || parser.state() == State::kFailed)
        return waiting + bytes.substr(std::min(bytes.size(), at + step));
    }
  }
  return waiting;
}

// The status of the error, 0 when the request is complete, -1 when more is awaited.
int outcome(const std::string& bytes, ParseLimits limits = {}) {
  RequestParser parser(limits);
  feed(parser, bytes);
  if (parser.state() == State::kFailed) return parser.error().status;
  return parser.state() == State::kDone ? 0 : -1;
}

TEST(RequestParser, ReadsARequestWhateverTheCuts) {
  const std::string bytes =
      "POST /a%20b/c?x=%31&y HTTP/1.1\r\nhost: h:1\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "3;ext=\"v\"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nHost: evil\r\nTrailer: t\r\n\r\nGET /next";
  for (size_t step = 1; step < bytes.size(); ++step) {
    RequestParser parser({});
    ASSERT_EQ(feed(parser, bytes, step), "GET /next") << step;
    ASSERT_EQ(parser.state(), State::kDone) << step;
    const Request request = parser.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/a b/c");
    EXPECT_EQ(request.target, "/a%20b/c?x=%31&y");
    EXPECT_EQ(request.parameter("x"), "1");
    EXPECT_EQ(request.body, "abc0123456789");
    EXPECT_EQ(request.headers.get("Host"), "h:1");
    EXPECT_EQ(request.headers.count("host"), 1u);
    EXPECT_FALSE(request.headers.find("trailer"));
  }
}

TEST(RequestParser, StopsBehindTheHead) {
  RequestParser parser({});
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  EXPECT_EQ(parser.feed(head + "ab"), head.size());
  EXPECT_EQ(parser.state(), State::kBody);
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parser.feed("abGET"), 2u);
  EXPECT_EQ(parser.state(), State::kDone);
  EXPECT_EQ(parser.take().body, "ab");
}

TEST(RequestParser, TakesAProxysForm) {
  RequestParser parser({});
  feed(parser, "GET http://real:9?q HTTP/1.1\r\nHost: fake\r\n\r\n");
  ASSERT_EQ(parser.state(), State::kDone);
  EXPECT_EQ(parser.head().path, "/");
  EXPECT_EQ(parser.head().query, "q");
  EXPECT_EQ(parser.head().headers.get("host"), "real:9");
}

TEST(RequestParser, RefusesWhatCouldBeReadInTwoWays) {
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(outcome(post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(outcome(post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\na"), 400);
  EXPECT_EQ(outcome(post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), 400);
  EXPECT_EQ(outcome(post + "Content-Length: 1, 1\r\n\r\na"), 400);
  for (const char* length : {"+1", "-1", "0x1", "1 1", "", "1;", "99999999999999999999999"}) {
    EXPECT_EQ(outcome(post + "Content-Length: " + length + "\r\n\r\na"), 400) << length;
  }
  EXPECT_EQ(outcome(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(outcome(post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(outcome("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(outcome("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"), 400);
}

TEST(RequestParser, RefusesMalformedHeads) {
  const std::string host = " HTTP/1.1\r\nHost: h\r\n";
  for (const std::string target :
       {"/%", "/%4", "/%zz", "/%00", "/%ff", "/a\x80", "a", "*", "/#f", "http:/x"}) {
    EXPECT_EQ(outcome("GET " + target + host + "\r\n"), 400) << target;
  }
  EXPECT_EQ(outcome("OPTIONS *" + host + "\r\n"), 0);
  EXPECT_EQ(outcome("CONNECT h:1" + host + "\r\n"), 501);
  EXPECT_EQ(outcome("G@T /" + host + "\r\n"), 400);
  EXPECT_EQ(outcome(" GET /" + host + "\r\n"), 400);
  EXPECT_EQ(outcome("GET  /" + host + "\r\n"), 400);
  EXPECT_EQ(outcome("GET / x" + host + "\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(outcome("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(outcome("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(outcome("GET / http/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /" + host + ": v\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /" + host + "a b: v\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /" + host + "novalue\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /" + host + std::string("X: a\0b\r\n\r\n", 10)), 400);
  EXPECT_EQ(outcome("GET /" + host + "X: a\x01\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /" + host + "Expect: 200-maybe\r\n\r\n"), 417);
  EXPECT_EQ(outcome(std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10)), 400);
}

TEST(RequestParser, RepairsUtf8InValues) {
  RequestParser parser({});
  feed(parser, "GET / HTTP/1.1\r\nHost: h\r\nX: a\xff\xfe\r\nY: \xc3\xa9\r\n\r\n");
  ASSERT_EQ(parser.state(), State::kDone);
  EXPECT_TRUE(utf8::valid(parser.head().headers.get("x")));
  EXPECT_EQ(parser.head().headers.get("y"), "\xc3\xa9");
}

TEST(RequestParser, KeepsItsLimits) {
  ParseLimits limits;
  limits.header_bytes = 1024;
  limits.target_bytes = 100;
  limits.header_fields = 5;
  limits.body_bytes = 10;
  const std::string host = " HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(outcome("GET /" + std::string(2000, 'x'), limits), 414);
  EXPECT_EQ(outcome("GET /" + std::string(200, 'x') + host + "\r\n", limits), 414);
  EXPECT_EQ(outcome("GET /" + host + "X: " + std::string(2000, 'x'), limits), 431);
  EXPECT_EQ(outcome("GET /" + host + "a: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\n\r\n", limits), 0);
  EXPECT_EQ(outcome("GET /" + host + "a: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\ne: 1\r\n\r\n", limits), 431);
  EXPECT_EQ(outcome("POST /" + host + "Content-Length: 10\r\n\r\n0123456789", limits), 0);
  EXPECT_EQ(outcome("POST /" + host + "Content-Length: 11\r\n\r\n", limits), 413);
  const std::string chunked = "POST /p" + host + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(outcome(chunked + "a\r\n0123456789\r\n0\r\n\r\n", limits), 0);
  EXPECT_EQ(outcome(chunked + "a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n", limits), 413);
  EXPECT_EQ(outcome(chunked + "ffffffffffffffff\r\n", limits), 413);
  EXPECT_EQ(outcome(chunked + "fffffffffffffffff\r\n", limits), 400);
  EXPECT_EQ(outcome(chunked + "1;" + std::string(40000, 'e'), limits), 431);
  EXPECT_EQ(outcome(chunked + "0\r\nX: " + std::string(40000, 'e'), limits), 431);
  EXPECT_EQ(outcome(chunked + "g\r\n", limits), 400);
  EXPECT_EQ(outcome(chunked + "1\r\nxyz\r\n", limits), 400);
}

TEST(RequestParser, AnErrorKnowsThePath) {
  ParseLimits limits;
  limits.body_bytes = 10;
  RequestParser parser(limits);
  feed(parser, "POST /anthropic/v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(parser.error().status, 413);
  EXPECT_EQ(parser.head().path, "/anthropic/v1");
  EXPECT_EQ(parser.head().method, "POST");
}

TEST(RequestParser, ALargeLengthReservesNothing) {
  ParseLimits limits;
  limits.body_bytes = uint64_t{1} << 50;
  EXPECT_EQ(outcome("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000000\r\n\r\nx", limits), -1);
}

TEST(ResponseParser, ReadsEveryFraming) {
  const auto body = [](const std::string& bytes, bool to_head, bool end) {
    ResponseParser parser(1024, to_head);
    std::string rest = bytes;
    for (int i = 0; i < 3; ++i) rest.erase(0, parser.feed(rest));
    if (end) parser.feed_end();
    return parser.state() == ResponseParser::State::kDone ? parser.take_body() : "unfinished";
  };
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, false), "ab");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true, false), "");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", false, false),
            "ab");
  EXPECT_EQ(body("HTTP/1.0 200 OK\r\n\r\nabc", false, true), "abc");
  EXPECT_EQ(body("HTTP/1.1 204 No Content\r\n\r\n", false, false), "");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false, true), "unfinished");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false, true),
            "unfinished");
  EXPECT_EQ(body("", false, true), "unfinished");
}

}  // namespace
}  // namespace fathom::net
