#include "net/client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "net/asio_transport.h"
#include "net/message_parser.h"
#include "net/url.h"

namespace fathom::net {
namespace {

using tcp = asio::ip::tcp;
using std::chrono::milliseconds;
constexpr size_t kHeaderBytes = 64 << 10;
constexpr size_t kReadBytes = 64 << 10;

asio::awaitable<error_code> connect(tcp::socket& socket, const tcp::resolver::results_type& endpoints) {
  const auto [ec, _] = co_await asio::async_connect(socket, endpoints, kUse);
  co_return ec;
}

}  // namespace

struct HttpClient::Impl {
  ClientOptions options;
  Url url;
  std::shared_ptr<TlsContext> tls;
  asio::io_context io{1};
  std::unique_ptr<Transport> transport;
  std::string received;  // not yet consumed
  bool reused = false;

  Error error(const std::string& problem, const std::string& remedy = {}) const {
    return {options.base_url, "", problem, remedy};
  }

  // Runs one operation to its end; nothing when it takes longer than `time`.
  template <class T>
  std::optional<T> wait(tcp::socket& socket, asio::awaitable<T> operation, milliseconds time) {
    std::optional<T> result;
    asio::co_spawn(io, std::move(operation), [&result](std::exception_ptr failure, T value) {
      if (!failure) result = std::move(value);
    });
    io.restart();
    io.run_for(time);
    if (result) return result;
    close_socket(socket);
    io.restart();
    io.run();
    return std::nullopt;
  }

  Status open();
  Status ensure_open();
  Status send(std::string_view bytes);
  // Bytes appended to `received`; 0 at the end of the stream.
  Result<size_t> receive();
  Result<Response> read_response(bool to_head, const Piece& piece);
  void close() { transport.reset(), received.clear(); }
};

Status HttpClient::Impl::open() {
  close();
  error_code ec;
  tcp::resolver resolver(io);
  const auto endpoints = resolver.resolve(url.host, std::to_string(url.port), ec);
  if (ec) return error("no such host: " + ec.message(), "check the address");
  tcp::socket socket(io);
  const auto connected = wait(socket, connect(socket, endpoints), options.connect_time);
  if (!connected)
    return error("no connection within the time limit", "check the address and whether the server runs");
  if (*connected)
    return error("cannot connect: " + connected->message(), "check the address and whether the server runs");
  socket.set_option(tcp::no_delay(true), ec);
  transport =
      tls ? client_tls_transport(std::move(socket), tls, url.host) : plain_transport(std::move(socket));
  const auto shaken = wait(transport->socket(), transport->handshake(), options.connect_time);
  if (!shaken || *shaken) {
    close();
    const std::string why = shaken ? shaken->message() : std::string("no answer within the time limit");
    return error("TLS failed: " + why, "check the scheme, or name the authority's certificate as CA file");
  }
  return Ok{};
}

Status HttpClient::Impl::ensure_open() {
  // A server may have closed the connection since the last answer.
  reused = transport && received.empty() && !peer_hung_up(transport->socket());
  return reused ? Status(Ok{}) : open();
}

Status HttpClient::Impl::send(std::string_view bytes) {
  const auto sent = wait(transport->socket(), transport->write(asio::buffer(bytes.data(), bytes.size())),
                         options.silence_time);
  if (!sent) return error("the server does not read the request", "try again, or raise the time limit");
  if (sent->first) return error("sending failed: " + sent->first.message());
  return Ok{};
}

Result<size_t> HttpClient::Impl::receive() {
  std::string buffer(kReadBytes, '\0');
  const auto read =
      wait(transport->socket(), transport->read_some(asio::buffer(buffer)), options.silence_time);
  if (!read)
    return error("no answer within " + std::to_string(options.silence_time.count()) + " ms",
                 "raise the time limit");
  if (read->first == asio::error::eof) return size_t{0};
  if (read->first) return error("receiving failed: " + read->first.message());
  received.append(buffer, 0, read->second);
  return read->second;
}

Result<Response> HttpClient::Impl::read_response(bool to_head, const Piece& piece) {
  auto parser = std::make_unique<ResponseParser>(kHeaderBytes, to_head);
  std::string body;
  for (;;) {
    for (auto before = ResponseParser::State::kFailed; !received.empty() && parser->state() != before;) {
      before = parser->state();
      received.erase(0, parser->feed(received));
    }
    using State = ResponseParser::State;
    if (parser->state() == State::kFailed) return error(parser->error());
    const bool interim = parser->state() == State::kDone && parser->head().status < 200;
    if (interim) {
      parser = std::make_unique<ResponseParser>(kHeaderBytes, to_head);
      continue;
    }
    const std::string fresh = parser->take_body();
    if (piece && !fresh.empty() && parser->head().status / 100 == 2) {
      if (!piece(fresh)) {
        close();
        return parser->head();
      }
    } else {
      body += fresh;
      if (body.size() > options.body_bytes)
        return error("the answer is longer than " + std::to_string(options.body_bytes) + " bytes");
    }
    if (parser->state() == State::kDone) break;
    const auto count = receive();
    if (!count) return count.error();
    if (*count == 0) parser->feed_end();
  }
  Response response = parser->head();
  response.body = std::move(body);
  if (!parser->keep_alive()) close();
  return response;
}

HttpClient::HttpClient(ClientOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->url = parse_url(options.base_url).value();
  if (impl_->url.tls) impl_->tls = client_tls(options.ca_file, options.verify);
  impl_->options = std::move(options);
}

HttpClient::~HttpClient() = default;

Result<Response> HttpClient::request(std::string_view method, std::string_view path, std::string_view body,
                                     const Headers& headers, const Piece& piece) {
  Headers all = impl_->options.headers;
  for (const auto& [name, value] : headers) all.set(name, value);
  all.set("Host", impl_->url.authority());
  if (!body.empty() || method == "POST" || method == "PUT")
    all.set("Content-Length", std::to_string(body.size()));
  std::string head = std::string(method) + " " + impl_->url.path + std::string(path) + " HTTP/1.1\r\n";
  for (const auto& [name, value] : all) {
    for (const char c : name + ": " + value) head += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    head += "\r\n";
  }
  head += "\r\n";
  head += body;
  for (;;) {
    const auto opened = impl_->ensure_open();
    if (!opened) return opened.error();
    const auto sent = impl_->send(head);
    const bool idempotent = method == "GET" || method == "HEAD";
    // A server may answer and close before it has read everything.
    auto response = impl_->transport->socket().is_open()
                        ? impl_->read_response(method == "HEAD", piece)
                        : Result<Response>(sent ? impl_->error("closed") : sent.error());
    if (response) return response;
    const bool retry = impl_->reused && idempotent && !piece;
    impl_->close();
    if (!retry) return sent ? response.error() : sent.error();
  }
}

Result<Response> HttpClient::post(std::string_view path, std::string_view json) {
  return request("POST", path, json, {{"Content-Type", "application/json"}});
}

Result<Response> HttpClient::post_for_events(std::string_view path, std::string_view json,
                                             const std::function<bool(const SseEvent&)>& event,
                                             const std::function<void(std::string_view)>& comment) {
  SseParser parser;
  return request("POST", path, json, {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}},
                 [&](std::string_view bytes) { return parser.feed(bytes, event, comment); });
}

}  // namespace fathom::net
