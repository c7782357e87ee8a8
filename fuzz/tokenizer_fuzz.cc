// Any bytes as a tokenizer.json, as a rule of one, and as a text on a good one.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "../tests/text/small_tokenizer.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

using fathom::Exception;
using fathom::test::small_tokenizer_json;
using fathom::text::Span;
using fathom::text::Special;
using fathom::text::StreamDecoder;
using fathom::text::Tokenizer;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Whatever a file says, encoding ends: in ids or in an Error.
void use(const std::string& json) {
  const auto loaded = Tokenizer::load_text(json, "", "fuzz");
  if (!loaded) {
    require(loaded.error().line().size() < 400);
    return;
  }
  try {
    for (const int32_t id : loaded->encode("Hello  w\u00F6rld 123\n\u4E2D!", Special::recognised))
      require(loaded->has_token(id));
  } catch (const Exception&) {
  }
}

void round_trip(std::string_view text) {
  static const Tokenizer tokenizer = Tokenizer::load_text(small_tokenizer_json().dump(), "", "small").value();
  const std::string repaired = fathom::utf8::repaired(text);
  const size_t third = text.size() / 3;
  const Span spans[] = {{0, third}, {third * 2, text.size()}};
  for (const auto& ids : {tokenizer.encode(text, Special::recognised), tokenizer.encode(text, Special::plain),
                          tokenizer.encode(text, spans)}) {
    require(tokenizer.decode(ids) == repaired);
    StreamDecoder stream(tokenizer);
    std::string streamed;
    for (const int32_t id : ids) streamed += stream.feed(id);
    require(streamed + stream.flush() == repaired);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      use(std::string(rest));
      break;
    case 1: {  // a good file with a part of it replaced
      static const std::string good = small_tokenizer_json().dump();
      if (rest.size() < 3) break;
      const size_t at = (static_cast<uint8_t>(rest[0]) * 256u + static_cast<uint8_t>(rest[1])) % good.size();
      std::string json = good;
      use(json.replace(at, static_cast<uint8_t>(rest[2]), rest.substr(3)));
      break;
    }
    case 2: {
      static const auto file = small_tokenizer_json();
      auto json = file;
      json["pre_tokenizer"]["pretokenizers"][1]["pattern"]["Regex"] = fathom::utf8::repaired(rest);
      use(json.dump());
      break;
    }
    default:
      round_trip(rest);
  }
  return 0;
}
