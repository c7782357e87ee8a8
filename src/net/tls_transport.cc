// The one file that includes Asio's TLS templates.
#include <openssl/ssl.h>

#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/write.hpp>

#include "base/error.h"
#include "net/asio_transport.h"

namespace fathom::net {

namespace ssl = asio::ssl;

class TlsContext {
 public:
  explicit TlsContext(ssl::context::method method) : context(method) {}
  ssl::context context;
  bool verify = false;
};

namespace {

class TlsTransport final : public Transport {
 public:
  TlsTransport(asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> context,
               ssl::stream_base::handshake_type side)
      : context_(std::move(context)), stream_(std::move(socket), context_->context), side_(side) {}

  ssl::stream<asio::ip::tcp::socket>& stream() { return stream_; }

  asio::awaitable<error_code> handshake() override {
    auto [ec] = co_await stream_.async_handshake(side_, kUse);
    co_return ec;
  }

  asio::awaitable<Io> read_some(asio::mutable_buffer buffer) override {
    auto [ec, count] = co_await stream_.async_read_some(buffer, kUse);
    // Many clients close without the farewell of TLS; HTTP's own lengths tell whether something is missing.
    if (ec == ssl::error::stream_truncated) ec = asio::error::eof;
    co_return Io{ec, count};
  }

  asio::awaitable<Io> write(asio::const_buffer bytes) override {
    auto [ec, count] = co_await asio::async_write(stream_, bytes, kUse);
    co_return Io{ec, count};
  }

  asio::awaitable<void> end_writing() override {
    co_await stream_.async_shutdown(kUse);
    error_code ignored;
    socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  asio::ip::tcp::socket& socket() override { return stream_.next_layer(); }

 private:
  std::shared_ptr<TlsContext> context_;
  ssl::stream<asio::ip::tcp::socket> stream_;
  ssl::stream_base::handshake_type side_;
};

void set_policy(ssl::context& context) {
  SSL_CTX* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Idle connections give their record buffers back.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned in_length, void*) {
  static constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kHttp11, sizeof kHttp11, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

[[noreturn]] void refuse(const std::string& file, const std::string& problem, const std::string& remedy) {
  throw Exception({file, "", problem, remedy});
}

}  // namespace

std::shared_ptr<TlsContext> server_tls(const std::string& certificate_file, const std::string& key_file) {
  auto result = std::make_shared<TlsContext>(ssl::context::tls_server);
  ssl::context& context = result->context;
  set_policy(context);
  SSL_CTX_set_alpn_select_cb(context.native_handle(), choose_protocol, nullptr);
  error_code ec;
  // Without this OpenSSL would ask the terminal.
  context.set_password_callback([](size_t, ssl::context::password_purpose) { return std::string(); }, ec);
  context.use_certificate_chain_file(certificate_file, ec);
  if (ec)
    refuse(certificate_file, "not a TLS certificate in PEM: " + ec.message(),
           "name a readable certificate chain");
  context.use_private_key_file(key_file, ssl::context::pem, ec);
  if (ec) {
    refuse(key_file, "not the private key of " + certificate_file + ": " + ec.message(),
           "name the unencrypted PEM key that belongs to the certificate");
  }
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    refuse(key_file, "does not belong to the certificate " + certificate_file,
           "name the key that belongs to it");
  return result;
}

std::shared_ptr<TlsContext> client_tls(const std::string& ca_file, bool verify) {
  auto result = std::make_shared<TlsContext>(ssl::context::tls_client);
  result->verify = verify;
  set_policy(result->context);
  error_code ec;
  if (!ca_file.empty()) {
    result->context.load_verify_file(ca_file, ec);
    if (ec)
      refuse(ca_file, "not a file of PEM certificates: " + ec.message(), "name the authority's certificate");
  } else if (verify) {
    result->context.set_default_verify_paths(ec);
    if (ec)
      refuse("", "the system's certificate authorities cannot be read: " + ec.message(), "name a CA file");
  }
  return result;
}

std::unique_ptr<Transport> server_tls_transport(asio::ip::tcp::socket socket,
                                                std::shared_ptr<TlsContext> context) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(context), ssl::stream_base::server);
}

std::unique_ptr<Transport> client_tls_transport(asio::ip::tcp::socket socket,
                                                std::shared_ptr<TlsContext> context,
                                                const std::string& host) {
  const bool verify = context->verify;
  auto transport =
      std::make_unique<TlsTransport>(std::move(socket), std::move(context), ssl::stream_base::client);
  error_code ec;
  asio::ip::make_address(host, ec);
  // Names only: an address in the server name extension is forbidden.
  if (ec) SSL_set_tlsext_host_name(transport->stream().native_handle(), host.c_str());
  transport->stream().set_verify_mode(verify ? ssl::verify_peer : ssl::verify_none, ec);
  if (verify) transport->stream().set_verify_callback(ssl::host_name_verification(host), ec);
  return transport;
}

}  // namespace fathom::net
