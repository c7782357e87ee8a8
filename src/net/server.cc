#include "net/server.h"

#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <thread>

#include "base/error.h"
#include "net/asio_connection.h"

namespace fathom::net {
namespace {

using tcp = asio::ip::tcp;
constexpr size_t kRefusedAtOnce = 64;  // connections beyond the limit that are told so; the rest is closed

std::string host_and_port(const std::string& host, uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string text_of(const tcp::endpoint& endpoint) {
  return host_and_port(endpoint.address().to_string(), endpoint.port());
}

void set_socket_options(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  // A peer that vanished without a word is found within a minute.
  using Level = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using Interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using Count = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  using Timeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  socket.set_option(Level(30), ignored);
  socket.set_option(Interval(10), ignored);
  socket.set_option(Count(3), ignored);
  socket.set_option(Timeout(60'000), ignored);
}

}  // namespace

std::string Address::url() const { return (tls ? "https://" : "http://") + host_and_port(host, port); }

struct Server::Impl {
  std::shared_ptr<ServerCore> core;
  std::shared_ptr<TlsContext> tls;
  std::optional<tcp::acceptor> acceptor;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::vector<std::thread> threads;
  Address address;

  tcp::endpoint resolve();
  void listen();
  asio::awaitable<void> accept_loop();
  void open_connection(tcp::socket socket);
  template <class Function>
  void for_each_connection(Function function);
};

tcp::endpoint Server::Impl::resolve() {
  const ServerOptions& options = core->options;
  error_code ec;
  const auto literal = asio::ip::make_address(options.host, ec);
  if (!ec) return {literal, options.port};
  tcp::resolver resolver(core->io);
  const auto found = resolver.resolve(options.host, std::to_string(options.port), ec);
  if (ec || found.empty())
    throw Exception({options.host, "", "no such host: " + ec.message(),
                     "name an address of this machine, such as 127.0.0.1"});
  return found.begin()->endpoint();
}

void Server::Impl::listen() {
  const tcp::endpoint endpoint = resolve();
  error_code ec;
  acceptor.emplace(asio::make_strand(core->io));
  acceptor->open(endpoint.protocol(), ec);
  if (!ec) acceptor->set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor->bind(endpoint, ec);
  if (!ec) acceptor->listen(asio::socket_base::max_listen_connections, ec);
  if (ec)
    throw Exception({text_of(endpoint), "", "cannot listen: " + ec.message(),
                     "choose another host or port; port 0 finds a free one"});
  const auto local = acceptor->local_endpoint();
  address = {local.address().to_string(), local.port(), tls != nullptr};
}

asio::awaitable<void> Server::Impl::accept_loop() {
  asio::steady_timer pause(acceptor->get_executor());
  while (acceptor->is_open()) {
    auto [ec, socket] =
        co_await acceptor->async_accept(asio::any_io_executor(asio::make_strand(core->io)), kUse);
    if (!acceptor->is_open()) co_return;
    if (!ec) {
      try {
        open_connection(std::move(socket));
      } catch (const std::exception&) {
      }
      continue;
    }
    // No file descriptors left, for example: others will end.
    pause.expires_after(std::chrono::milliseconds(50));
    co_await pause.async_wait(kUse);
  }
}

void Server::Impl::open_connection(tcp::socket socket) {
  error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  if (ec) return;
  set_socket_options(socket);
  ++core->accepted;
  const size_t limit = core->options.limits.connections;
  std::shared_ptr<Connection> connection;
  {
    const std::lock_guard lock(core->mutex);
    const size_t open = core->open.size();
    if (core->stopped || open >= limit + kRefusedAtOnce) return;
    auto transport = tls ? server_tls_transport(std::move(socket), tls) : plain_transport(std::move(socket));
    connection = std::make_shared<Connection>(core, std::move(transport), text_of(remote), open >= limit);
    core->open.emplace(connection.get(), connection);
  }
  connection->start();
}

template <class Function>
void Server::Impl::for_each_connection(Function function) {
  std::vector<std::shared_ptr<Connection>> open;
  {
    const std::lock_guard lock(core->mutex);
    for (const auto& [_, weak] : core->open) {
      if (auto connection = weak.lock()) open.push_back(std::move(connection));
    }
  }
  for (const auto& connection : open) function(*connection);
}

Server::Server(ServerOptions options, Handler handler, ErrorPage error_page, Screen screen)
    : impl_(std::make_unique<Impl>()) {
  impl_->core = std::make_shared<ServerCore>(std::move(options), std::move(handler), std::move(error_page),
                                             std::move(screen));
}

Server::~Server() { stop(); }

void Server::start() {
  ServerCore& core = *impl_->core;
  const ServerOptions& options = core.options;
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    throw Exception({options.tls_certificate + options.tls_key, "", "TLS needs a certificate and its key",
                     "name both files or neither"});
  }
  if (!options.tls_certificate.empty()) impl_->tls = server_tls(options.tls_certificate, options.tls_key);
  impl_->listen();
  impl_->work.emplace(core.io.get_executor());
  asio::co_spawn(
      impl_->acceptor->get_executor(), [this] { return impl_->accept_loop(); }, asio::detached);
  for (int i = 0; i < std::max(1, options.threads); ++i) {
    impl_->threads.emplace_back([core = impl_->core] {
      for (;;) {
        try {
          core->io.run();
          return;
        } catch (...) {  // out of memory in one handler is no reason to end them all
        }
      }
    });
  }
}

Address Server::address() const { return impl_->address; }

bool Server::drain(double seconds) {
  ServerCore& core = *impl_->core;
  core.draining = true;
  if (impl_->acceptor)
    asio::post(impl_->acceptor->get_executor(), [this] {
      error_code ignored;
      impl_->acceptor->close(ignored);
    });
  impl_->for_each_connection([](Connection& connection) { connection.post_drain(); });
  bool complete = false;
  {
    std::unique_lock lock(core.mutex);
    complete = core.changed.wait_for(lock, std::chrono::duration<double>(seconds),
                                     [&core] { return core.open.empty(); });
  }
  stop();
  return complete;
}

void Server::stop() {
  ServerCore& core = *impl_->core;
  {
    const std::lock_guard lock(core.mutex);
    if (core.stopped) return;
    core.stopped = true;
  }
  core.draining = true;
  if (impl_->threads.empty()) return;
  asio::post(impl_->acceptor->get_executor(), [this] {
    error_code ignored;
    impl_->acceptor->close(ignored);
  });
  impl_->for_each_connection([](Connection& connection) { connection.post_close(); });
  impl_->work.reset();
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  impl_->acceptor.reset();
}

ServerStats Server::stats() const {
  ServerCore& core = *impl_->core;
  ServerStats stats;
  stats.accepted = core.accepted;
  stats.requests = core.requests;
  stats.refused = core.refused;
  stats.overflows = core.overflows;
  stats.body_bytes = core.body_bytes;
  const std::lock_guard lock(core.mutex);
  stats.connections = core.open.size();
  return stats;
}

size_t raise_open_file_limit(size_t files) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < files) {
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? files : std::min<rlim_t>(files, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

}  // namespace fathom::net
