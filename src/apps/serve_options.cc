#include "apps/serve_options.h"

#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "apps/byte_size.h"
#include "base/build.h"
#include "infer/latent_pool.h"
#include "infer/model_identity.h"
#include "tensor/isa.h"
#include "text/chat_detect.h"

namespace fathom::apps {
namespace {

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

// One key a line; empty lines and those that begin with # are passed over.
std::vector<std::string> read_keys(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw Exception({path, {}, "cannot be read", "name a file with one API key a line in --api-key-file"});
  std::vector<std::string> keys;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
      line.pop_back();
    line.erase(0, line.find_first_not_of(" \t"));
    if (!line.empty() && line.front() != '#') keys.push_back(line);
  }
  if (keys.empty()) throw Exception({path, {}, "holds no key", "write one API key a line"});
  return keys;
}

std::string name_of_directory(const std::string& path) {
  std::error_code failed;
  std::filesystem::path full = std::filesystem::weakly_canonical(path, failed);
  if (failed) full = path;
  const std::string name = full.filename().string();
  return name.empty() ? full.parent_path().filename().string() : name;
}

// Of everything that an answer depends on beside its request.
std::string fingerprint_of(const LoadedModel& model, const RunOptions& run) {
  std::string text = model.model.directory.config_text() + build::kVersion + run.mode + run.backend +
                     std::string(name_of(model.runtime.context.isa)) + (run.act_quant ? "q" : "");
  for (const auto& file : model.model.directory.files())
    text += file.path() + std::to_string(file.file().size());
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  char hex[24];
  std::snprintf(hex, sizeof hex, "fp_%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

int64_t changed_at(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<int64_t>(info.st_mtime)
                                          : static_cast<int64_t>(std::time(nullptr));
}

std::optional<text::ChatFormat> chat_format(const LoadedModel& model) {
  if (model.format) return model.format;
  const auto detected = text::chat_format_of_directory(model.model.directory.path());
  return detected ? std::optional(*detected) : std::nullopt;
}

void add_address_options(CLI::App& c, ServeArguments& a) {
  c.add_option("--host", a.host, "address to listen on; others than loopback need --api-key-file")
      ->capture_default_str();
  c.add_option("--port", a.port, "port; 0: a free one")->check(CLI::Range(0, 65535))->capture_default_str();
  c.add_option("--api-key-file", a.api_key_file,
               "file with one API key a line; every path but /health and the page needs one");
  c.add_option("--tls-cert", a.tls_certificate, "certificate chain (PEM)");
  c.add_option("--tls-key", a.tls_key, "its private key (PEM)");
  c.add_option("--cors-origin", a.cors_origins, "origin whose pages may use the API, or *; repeatable")
      ->allow_extra_args(false);
  c.add_option("--max-connections", a.max_connections, "open connections")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  c.add_option("--keep-alive-seconds", a.keep_alive_seconds, "how often a waiting client is told to wait on")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  c.add_option("--drain-seconds", a.drain_seconds, "how long running answers may go on after SIGTERM")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
}

void add_queue_options(CLI::App& c, ServeArguments& a) {
  c.add_option("--max-batch", a.together, "requests computed at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  c.add_option("--max-queue", a.max_queue, "requests that may wait; beyond it 429")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  c.add_option("--cache-dir", a.cache_directory, "directory that keeps the cache of prompts over restarts");
  c.add_option("--cache-disk", a.cache_disk, "largest size of --cache-dir")->capture_default_str();
}

}  // namespace

void add_serve_options(CLI::App& c, ServeArguments& a) {
  add_address_options(c, a);
  add_queue_options(c, a);
  c.add_option("--name", a.name, "name of the model in the API (default: the directory's)");
  c.add_option("--default-max-tokens", a.default_max_tokens, "longest answer where a request names none")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  c.add_option("--max-thinking-tokens", a.max_thinking_tokens,
               "longest thoughts where a request names no cap; 0: as long as it likes")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  c.add_flag(
      "--deepseek-temperature", a.deepseek_temperature,
      "map temperatures as DeepSeek's API does: 0.3 T up to 1, T - 0.7 above, 1 where a request names none");
  add_engine_arguments(c, a);
}

net::ServerOptions net_options(const ServeArguments& a) {
  if (a.tls_certificate.empty() != a.tls_key.empty())
    throw Exception({a.tls_key.empty() ? "--tls-cert" : "--tls-key",
                     {},
                     "comes alone",
                     "give --tls-cert and --tls-key together"});
  net::ServerOptions out;
  out.host = a.host;
  out.port = static_cast<uint16_t>(a.port);
  out.tls_certificate = a.tls_certificate;
  out.tls_key = a.tls_key;
  out.limits.connections = static_cast<size_t>(a.max_connections);
  return out;
}

std::unique_ptr<infer::BlockStore> block_store(const ServeArguments& a, const LoadedModel& m) {
  if (a.cache_directory.empty()) return nullptr;
  infer::BlockStoreOptions out;
  out.directory = a.cache_directory;
  out.max_bytes = parse_byte_size(a.cache_disk, "--cache-disk");
  out.model = infer::model_identity(m.model, m.runtime.context, m.options);
  out.block_bytes = infer::LatentPool::block_bytes(m.model.config, m.runtime.context.mode);
  return std::make_unique<infer::BlockStore>(std::move(out));
}

server::ServiceOptions service_options(const ServeArguments& a) {
  server::ServiceOptions out;
  if (!a.api_key_file.empty()) out.api_keys = read_keys(a.api_key_file);
  out.check_host = is_loopback(a.host);
  if (!out.check_host && out.api_keys.empty())
    throw Exception({"--host",
                     {},
                     quotable(a.host) + " can be reached by others",
                     "give --api-key-file, or listen on 127.0.0.1"});
  out.cors_origins = a.cors_origins;
  out.deepseek_temperature = a.deepseek_temperature;
  out.default_max_tokens = a.default_max_tokens;
  out.max_thinking_tokens = a.max_thinking_tokens == 0 ? -1 : a.max_thinking_tokens;
  out.max_queue = a.max_queue;
  out.keep_alive = std::chrono::milliseconds(static_cast<int64_t>(a.keep_alive_seconds * 1000));
  return out;
}

server::ServedModel served_model(const ServeArguments& a, const LoadedModel& m, infer::Engine& engine,
                                 server::Grammars& grammars) {
  infer::SamplingParams sampling = m.generation.sampling;
  // A directory that asks for nothing gets what the APIs document.
  if (sampling.temperature == 0) sampling = {};
  return {.engine = engine,
          .tokenizer = m.require_tokenizer(),
          .grammars = grammars,
          .format = chat_format(m),
          .sampling = sampling,
          .stop_ids = m.generation.stop_ids,
          .name = a.name.empty() ? name_of_directory(a.model) : a.name,
          .fingerprint = fingerprint_of(m, a.run),
          .created = changed_at(m.model.directory.file_path("config.json")),
          .mtp = a.mtp != 0 && m.model.config.num_nextn_predict_layers > 0};
}

}  // namespace fathom::apps
