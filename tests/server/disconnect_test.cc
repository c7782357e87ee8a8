// A client that goes away frees its work: counted in steps of the engine, which the test makes itself.
#include <gtest/gtest.h>

#include <optional>

#include "infer/engine.h"
#include "net/server.h"
#include "server/service.h"
#include "tests/net/raw_client.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"
#include "text/byte_tokenizer.h"

namespace fathom::server {
namespace {

using test::eventually;
using test::RawClient;

model::Model tiny_model(const std::string& directory) {
  test::write_tiny_model(directory);
  return model::open_model(directory);
}

text::Tokenizer byte_tokenizer(int64_t vocab) {
  const text::ByteTokenizerFiles files = text::byte_tokenizer_files({.vocab_size = vocab});
  return text::Tokenizer::load_text(files.tokenizer_json, files.tokenizer_config_json, "made").value();
}

// A whole server but for the engine's thread.
struct SteppedServer {
  test::TemporaryDirectory directory;
  model::Model model = tiny_model(directory.path() + "/m");
  text::Tokenizer tokenizer = byte_tokenizer(model.config.vocab_size);
  ThreadPool pool{1};
  Context context{.backend = Backend::cpu, .mode = Mode::fast, .isa = best_isa(), .pool = &pool};
  std::optional<infer::Engine> engine;
  Grammars grammars{tokenizer, {1}, model.config.vocab_size};
  std::optional<Service> service;
  std::optional<net::Server> http;

  SteppedServer() {
    engine.emplace(
        context, model, &tokenizer,
        infer::EngineOptions{
            .max_running = 2, .cache_bytes = size_t{16} << 20, .share_prefixes = false, .mtp = false});
    service.emplace(ServedModel{.engine = *engine,
                                .tokenizer = tokenizer,
                                .grammars = grammars,
                                .format = text::ChatFormat::kV3_1,
                                .sampling = {},
                                .stop_ids = {1},
                                .name = "tiny",
                                .fingerprint = "fp"},
                    ServiceOptions{});
    http.emplace(net::ServerOptions{}, [this](net::Request r, std::shared_ptr<net::Exchange> e) {
      service->handle(std::move(r), std::move(e));
    });
    http->start();
  }
  ~SteppedServer() {
    http->stop();
    service->close();
    engine.reset();
  }

  // Steps until so many requests run.
  bool runs(int64_t count) {
    return eventually([&] { return engine->step(), engine->stats().running == count; });
  }
};

std::string post(const std::string& path, const std::string& fields) {
  const std::string body =
      R"({"model": "tiny", "max_tokens": 4000, "logit_bias": {"1": -100}, )" + fields + "}";
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string long_answer(bool chat, bool stream) {
  const std::string streamed = stream ? R"(, "stream": true)" : "";
  return chat ? post("/v1/chat/completions",
                     R"("messages": [{"role": "user", "content": "Hello"}])" + streamed)
              : post("/v1/completions", R"("prompt": "Hello")" + streamed);
}

class DisconnectFrees : public ::testing::TestWithParam<std::tuple<bool, bool, bool>> {};

TEST_P(DisconnectFrees, WithoutAnotherStepOfItsOwn) {
  const auto [chat, stream, reset] = GetParam();
  SteppedServer s;
  RawClient stays(s.http->address().port), leaves(s.http->address().port);
  ASSERT_TRUE(stays.send(long_answer(false, true)));
  ASSERT_TRUE(s.runs(1));
  const int64_t blocks_of_one = s.engine->stats().blocks_in_use;
  ASSERT_TRUE(leaves.send(long_answer(chat, stream)));
  ASSERT_TRUE(s.runs(2));
  ASSERT_GT(s.engine->stats().blocks_in_use, blocks_of_one);

  reset ? leaves.reset() : leaves.close();
  // The server has noticed when it has dropped the connection. No step is made meanwhile.
  ASSERT_TRUE(eventually([&] { return s.http->stats().connections == 1; }));
  const infer::EngineStats before = s.engine->stats();
  ASSERT_EQ(before.running, 2);
  ASSERT_TRUE(s.engine->step());
  const infer::EngineStats after = s.engine->stats();
  EXPECT_EQ(after.steps, before.steps + 1);
  EXPECT_EQ(after.running, 1);
  EXPECT_EQ(after.blocks_in_use, blocks_of_one);

  // What waits for a place leaves as fast, and who stays is not disturbed.
  RawClient second(s.http->address().port), waits(s.http->address().port);
  ASSERT_TRUE(second.send(long_answer(true, true)));
  ASSERT_TRUE(s.runs(2));
  ASSERT_TRUE(waits.send(long_answer(chat, stream)));
  ASSERT_TRUE(eventually([&] { return s.engine->step(), s.engine->stats().waiting == 1; }));
  reset ? waits.reset() : waits.close();
  ASSERT_TRUE(eventually([&] { return s.http->stats().connections == 2; }));
  ASSERT_TRUE(s.engine->step());
  EXPECT_EQ(s.engine->stats().waiting, 0);
  EXPECT_EQ(s.engine->stats().running, 2);
}

std::string way_name(const ::testing::TestParamInfo<DisconnectFrees::ParamType>& way) {
  const auto [chat, stream, reset] = way.param;
  return std::string(chat ? "Chat" : "Completion") + (stream ? "Streamed" : "Whole") +
         (reset ? "Reset" : "Closed");
}

INSTANTIATE_TEST_SUITE_P(Ways, DisconnectFrees,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(), ::testing::Bool()),
                         way_name);

}  // namespace
}  // namespace fathom::server
