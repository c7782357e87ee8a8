// fathom serve: the APIs and the page, until a signal.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "apps/command.h"
#include "apps/interrupt.h"
#include "apps/serve_options.h"
#include "server/service.h"

namespace fathom::apps {
namespace {

constexpr const char* kServeExample =
    "Examples:\n"
    "  $ fathom serve models/v3\n"
    "  $ curl http://127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' \\\n"
    "      -d '{\"model\": \"deepseek-chat\", \"messages\": [{\"role\": \"user\", \"content\": "
    "\"Hello\"}]}'\n"
    "  $ fathom serve models/v3 --host 0.0.0.0 --api-key-file keys.txt --tls-cert cert.pem --tls-key key.pem";

// Runs the engine on a thread of its own.
class EngineThread {
 public:
  explicit EngineThread(infer::Engine& engine) : engine_(engine), thread_([this] { work(); }) {}
  ~EngineThread() { stop(); }
  void stop() {
    engine_.stop();
    if (thread_.joinable()) thread_.join();
  }
  bool failed() const { return failed_; }

 private:
  void work() {
    try {
      engine_.run();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "fathom: the engine failed: %s\n", quotable(e.what(), 300).c_str());
      failed_ = true;
    }
  }

  infer::Engine& engine_;
  std::atomic<bool> failed_{false};
  std::thread thread_;
};

int serve(const ServeArguments& a) {
  const std::atomic<bool>& stop = interrupted();
  server::ServiceOptions options = service_options(a);
  const net::ServerOptions address = net_options(a);
  const LoadedModel m(a);
  m.require_tokenizer();
  const std::unique_ptr<infer::BlockStore> store = block_store(a, m);
  infer::EngineOptions settings = engine_options(a, m);
  settings.store = store.get();
  auto engine = std::make_unique<infer::Engine>(m.runtime.context, m.model, m.tokenizer_or_null(), settings);
  server::Grammars grammars(m.require_tokenizer(), m.generation.stop_ids, m.model.config.vocab_size);
  server::Service service(served_model(a, m, *engine, grammars), std::move(options));
  net::raise_open_file_limit(static_cast<size_t>(a.max_connections) + 256);
  bool failed = false;
  {
    EngineThread thread(*engine);
    net::Server server(
        address,
        [&service](net::Request r, std::shared_ptr<net::Exchange> e) {
          service.handle(std::move(r), std::move(e));
        },
        [&service](const net::HttpError& e, const net::Request& head) { return service.error_page(e, head); },
        [&service](const net::Request& head) { return service.screen(head); });
    service.watch(&server);
    server.start();
    std::fprintf(stderr, "fathom: %s, %s\n", cache_text(*engine, a, m).c_str(),
                 m.runtime.threads_reason.c_str());
    std::printf("Listening on %s\n", server.address().url().c_str());
    std::fflush(stdout);
    while (!stop && !thread.failed()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    failed = thread.failed();
    service.drain();
    if (!failed && !server.drain(a.drain_seconds))
      std::fprintf(stderr, "fathom: answers that took longer than --drain-seconds were cut off\n");
    server.stop();
    service.close();
    service.watch(nullptr);
    thread.stop();
  }
  engine.reset();
  return failed ? 1 : 0;
}

}  // namespace

void add_serve(CLI::App& app, Run& run) {
  auto a = std::make_shared<ServeArguments>();
  CLI::App* command =
      app.add_subcommand("serve", "Serves DeepSeek's, OpenAI's and Anthropic's APIs and a web page.");
  add_serve_options(*command, *a);
  command->footer(kServeExample);
  command->callback([a, &run] { run = [a] { return serve(*a); }; });
}

}  // namespace fathom::apps
