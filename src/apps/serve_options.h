// What `fathom serve` is told on the command line, checked and handed to the layers below.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/loaded_model.h"
#include "infer/engine.h"
#include "net/server.h"
#include "server/served_model.h"

namespace fathom::apps {

struct ServeArguments : EngineArguments {
  ServeArguments() { together = 16; }

  std::string name;
  std::string host = "127.0.0.1", api_key_file, tls_certificate, tls_key, cache_directory;
  std::string cache_disk = "16G";
  std::vector<std::string> cors_origins;
  int port = 8000;
  int64_t max_queue = 1024, max_connections = 2048;
  int64_t default_max_tokens = 4096, max_thinking_tokens = 0;
  double drain_seconds = 30, keep_alive_seconds = 5;
  bool deepseek_temperature = false;
};

void add_serve_options(CLI::App& command, ServeArguments& arguments);

// All throw Exception naming the option or the file.
net::ServerOptions net_options(const ServeArguments& arguments);
// Null without --cache-dir.
std::unique_ptr<infer::BlockStore> block_store(const ServeArguments& arguments, const LoadedModel& model);
// Refuses an address that others can reach when there is no key.
server::ServiceOptions service_options(const ServeArguments& arguments);
server::ServedModel served_model(const ServeArguments& arguments, const LoadedModel& model,
                                 infer::Engine& engine, server::Grammars& grammars);

}  // namespace fathom::apps
