// The one file that includes Beast.
#include "net/message_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>

namespace fathom::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

// Beast's string body reserves what Content-Length promises; this one grows with what comes.
struct GrowingBody {
  using value_type = std::string;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>&, error_code& ec) { ec = {}; }
    template <class Buffers>
    size_t put(const Buffers& buffers, error_code& ec) {
      ec = {};
      size_t total = 0;
      for (auto at = boost::asio::buffer_sequence_begin(buffers);
           at != boost::asio::buffer_sequence_end(buffers); ++at) {
        const boost::asio::const_buffer piece = *at;
        body_.append(static_cast<const char*>(piece.data()), piece.size());
        total += piece.size();
      }
      return total;
    }
    void finish(error_code& ec) { ec = {}; }

   private:
    value_type& body_;
  };
};

std::string to_string(boost::beast::string_view text) { return {text.data(), text.size()}; }

template <class Message>
Headers headers_of(const Message& message) {
  Headers headers;
  for (const auto& field : message) headers.add(to_string(field.name_string()), to_string(field.value()));
  return headers;
}

// Whether the request line ends in a well-formed version; Beast has said that it is none of ours.
bool names_other_version(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  if (line.size() < 9) return false;
  const std::string_view version = line.substr(line.size() - 9);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.starts_with(" HTTP/") && digit(version[6]) && version[7] == '.' && digit(version[8]) &&
         version != " HTTP/1.1" && version != " HTTP/1.0";
}

// A chunk header or trailer may not take more than this before it ends.
constexpr size_t kLongestUnparsed = 16 << 10;

}  // namespace

struct RequestParser::Impl {
  http::request_parser<GrowingBody> parser;
};

RequestParser::RequestParser(const ParseLimits& limits) : limits_(limits), impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(static_cast<uint32_t>(std::max(limits.header_bytes, kLongestUnparsed)));
  impl_->parser.body_limit(limits.body_bytes);
}

RequestParser::~RequestParser() = default;

void RequestParser::fail(int status, std::string message) {
  state_ = State::kFailed;
  error_ = {status, std::move(message)};
}

// What is known of the head goes to whoever renders the error.
void RequestParser::copy_head() {
  const auto& message = impl_->parser.get();
  request_.method = to_string(message.method_string());
  request_.target = to_string(message.target());
  request_.minor_version = message.version() == 10 ? 0 : 1;
  request_.headers = headers_of(message);
}

void RequestParser::finish_head() {
  copy_head();
  if (auto error = check_head(request_, limits_)) return fail(error->status, std::move(error->message));
  impl_->parser.eager(true);
  state_ = impl_->parser.is_done() ? State::kDone : State::kBody;
}

// The length of the head including its empty line, 0 while it is incomplete or once it has failed. Beast gets
// the head in one piece: fed line by line it would apply its limit to each line alone, and what it refuses
// would depend on the cuts.
size_t RequestParser::head_length(std::string_view bytes) {
  const size_t end = std::min(bytes.size(), limits_.header_bytes);
  for (; scanned_ < end; ++scanned_) {
    const char c = bytes[scanned_];
    if (c == '\n') {
      if (scanned_ == 0 || bytes[scanned_ - 1] != '\r') return fail(400, "a line does not end in CR LF"), 0;
      if (scanned_ >= 3 && bytes[scanned_ - 2] == '\n') return scanned_ + 1;
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\t') {
      return fail(400, "the header has control characters"), 0;
    }
  }
  if (bytes.size() < limits_.header_bytes) return 0;
  const std::string limit = std::to_string(limits_.header_bytes);
  const bool has_line = bytes.substr(0, end).find("\r\n") != std::string_view::npos;
  fail(has_line ? 431 : 414,
       (has_line ? "the header" : "the request line") + (" is longer than " + limit) + " bytes");
  return 0;
}

size_t RequestParser::feed(std::string_view bytes) {
  if (state_ == State::kDone || state_ == State::kFailed || bytes.empty()) return 0;
  if (state_ == State::kHead) {
    const size_t length = head_length(bytes);
    if (length == 0) return 0;
    bytes = bytes.substr(0, length);
  }
  error_code ec;
  const size_t used = impl_->parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (ec && ec != http::error::need_more) {
    if (state_ == State::kHead) {
      copy_head();
      // For the path only: the first error stands.
      static_cast<void>(check_head(request_, limits_));
    }
    if (ec == http::error::header_limit) {
      fail(431, "a trailer is too long");
    } else if (ec == http::error::body_limit) {
      fail(413, "the body is longer than " + std::to_string(limits_.body_bytes) + " bytes");
    } else if (ec == http::error::bad_version && names_other_version(bytes)) {
      fail(505, "the server speaks HTTP/1.1 and HTTP/1.0");
    } else {
      fail(400, "malformed request: " + ec.message());
    }
    return used;
  }
  if (state_ == State::kHead && impl_->parser.is_header_done()) {
    finish_head();
  } else if (state_ == State::kBody && impl_->parser.is_done()) {
    state_ = State::kDone;
  } else if (state_ == State::kBody && used == 0 && bytes.size() > kLongestUnparsed) {
    fail(431, "a chunk header or trailer is longer than " + std::to_string(kLongestUnparsed) + " bytes");
  }
  return used;
}

size_t RequestParser::body_bytes() const { return impl_->parser.get().body().size(); }

bool RequestParser::keep_alive() const { return impl_->parser.keep_alive(); }

bool RequestParser::expects_continue() const {
  return state_ == State::kBody && request_.minor_version > 0 &&
         equal_ignoring_case(request_.headers.get("expect"), "100-continue");
}

Request RequestParser::take() {
  request_.body = std::move(impl_->parser.get().body());
  return std::move(request_);
}

struct ResponseParser::Impl {
  http::response_parser<GrowingBody> parser;
};

ResponseParser::ResponseParser(size_t header_bytes, bool to_head) : impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(static_cast<uint32_t>(header_bytes));
  impl_->parser.body_limit(boost::none);
  impl_->parser.skip(to_head);
}

ResponseParser::~ResponseParser() = default;

void ResponseParser::finish_head() {
  const auto& message = impl_->parser.get();
  head_.status = static_cast<int>(message.result_int());
  head_.headers = headers_of(message);
  impl_->parser.eager(true);
  state_ = impl_->parser.is_done() ? State::kDone : State::kBody;
}

size_t ResponseParser::feed(std::string_view bytes) {
  if (state_ == State::kDone || state_ == State::kFailed || bytes.empty()) return 0;
  error_code ec;
  const size_t used = impl_->parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (ec && ec != http::error::need_more) {
    state_ = State::kFailed;
    error_ = "malformed response: " + ec.message();
  } else if (state_ == State::kHead && impl_->parser.is_header_done()) {
    finish_head();
  } else if (state_ == State::kBody && impl_->parser.is_done()) {
    state_ = State::kDone;
  } else if (state_ == State::kBody && used == 0 && bytes.size() > kLongestUnparsed) {
    state_ = State::kFailed;
    error_ = "malformed response: a chunk header does not end";
  }
  return used;
}

void ResponseParser::feed_end() {
  if (state_ == State::kDone || state_ == State::kFailed) return;
  error_code ec;
  if (state_ == State::kBody) impl_->parser.put_eof(ec);
  const bool complete = state_ == State::kBody && !ec && impl_->parser.is_done();
  state_ = complete ? State::kDone : State::kFailed;
  if (!complete) error_ = "the connection ended in the middle of the response";
}

bool ResponseParser::keep_alive() const { return state_ == State::kDone && impl_->parser.keep_alive(); }

std::string ResponseParser::take_body() { return std::exchange(impl_->parser.get().body(), {}); }

}  // namespace fathom::net
