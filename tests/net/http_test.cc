#include "net/http.h"

#include <gtest/gtest.h>

#include "net/constant_time.h"
#include "net/sse.h"
#include "net/url.h"

namespace fathom::net {
namespace {

TEST(Headers, IgnoreCaseOfNames) {
  Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"x", "2"}};
  EXPECT_EQ(headers.get("content-type"), "a");
  EXPECT_EQ(headers.count("X"), 2u);
  headers.set("CONTENT-TYPE", "b");
  EXPECT_EQ(headers.count("content-type"), 1u);
  EXPECT_EQ(headers.get("Content-Type"), "b");
  EXPECT_EQ(headers.find("missing"), nullptr);
}

TEST(Headers, AValueCannotSplitTheResponse) {
  const std::string head = response_head(200, {{"X", "a\r\nSet-Cookie: b"}, {"Content-Length", "7"}}, {}, 3);
  EXPECT_NE(head.find("X: a  Set-Cookie: b\r\n"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Content-Length: 7"), std::string::npos);
}

TEST(Request, ParametersAreDecoded) {
  Request request;
  request.query = "a=1&b=x+y%21&&c&b=2&bad=%zz";
  EXPECT_EQ(request.parameter("a"), "1");
  EXPECT_EQ(request.parameter("b"), "x y!");
  EXPECT_EQ(request.parameter("c"), "");
  EXPECT_EQ(request.parameter("d"), std::nullopt);
  EXPECT_EQ(request.parameter("bad"), std::nullopt);
}

TEST(Chunks, AreFramed) {
  std::string out;
  append_chunk(out, std::string(26, 'x'));
  append_chunk(out, "");
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n");
}

TEST(ConstantTime, Compares) {
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secreT", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secretsecret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("", "secret"));
  EXPECT_FALSE(equal_in_constant_time("x", ""));
  EXPECT_TRUE(equal_in_constant_time("", ""));
}

TEST(Sse, EveryCutOfAStreamGivesTheSameEvents) {
  const std::string stream = ": hello\n\n" + sse_event("one") +
                             "data: a\r\ndata: b\r\n\r\nevent: n\rdata:c\r\r" +
                             sse_event("x\ny\r\nz", "named") + "id: 7\n\n";
  for (size_t step = 1; step <= stream.size(); ++step) {
    SseParser parser;
    std::string seen;
    for (size_t at = 0; at < stream.size(); at += step) {
      ASSERT_TRUE(parser.feed(
          std::string_view(stream).substr(at, step),
          [&seen](const SseEvent& event) {
            seen += event.name + "=" + event.data + ";";
            return true;
          },
          [&seen](std::string_view comment) { seen += "(" + std::string(comment) + ")"; }));
    }
    EXPECT_EQ(seen, "( hello)=one;=a\nb;n=c;named=x\ny\nz;") << step;
  }
}

TEST(Sse, StopsAtItsLimitAndWhenAsked) {
  SseParser small(16);
  const auto all = [](const SseEvent&) { return true; };
  EXPECT_FALSE(small.feed("data: " + std::string(20, 'x'), all));
  EXPECT_FALSE(small.feed("\n\n", all));
  SseParser lines(16);
  EXPECT_FALSE(lines.feed("data: 12345678\ndata: 12345678\ndata: 1\n", all));
  SseParser asked;
  int count = 0;
  EXPECT_FALSE(asked.feed("data: 1\n\ndata: 2\n\n", [&count](const SseEvent&) { return ++count < 1; }));
  EXPECT_EQ(count, 1);
}

TEST(Url, TakesAddressesApart) {
  const Url a = parse_url("https://example.org/v1//").value();
  EXPECT_TRUE(a.tls);
  EXPECT_EQ(a.host, "example.org");
  EXPECT_EQ(a.port, 443);
  EXPECT_EQ(a.path, "/v1");
  EXPECT_EQ(a.authority(), "example.org");
  const Url b = parse_url("http://[::1]:8000").value();
  EXPECT_EQ(b.host, "::1");
  EXPECT_EQ(b.authority(), "[::1]:8000");
  for (const char* bad :
       {"", "example.org", "ftp://x", "http://", "http://x:0", "http://x:70000", "http://x:1x", "http://a b",
        "http://u@h", "http://h?q", "http://[::1", "http://x:", "http://[]"}) {
    const auto result = parse_url(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_LT(result.error().line().size(), 400u);
  }
}

}  // namespace
}  // namespace fathom::net
