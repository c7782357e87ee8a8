// A tokenizer for models without one of their own: one token a byte, and the special and added tokens of
// DeepSeek-V3.1, with its split rules and chat format. Everything that works on an official directory works
// on one with these files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fathom::text {

// Tokens of it; a vocabulary may be larger, not smaller.
inline constexpr int64_t kByteTokenizerSize = 278;

// What a model's configuration says about the ids. Values outside the vocabulary count as absent.
struct ByteTokenizerIds {
  int64_t vocab_size = 0;
  std::optional<int64_t> bos, eos, pad;  // absent: 0, 1, 2, or what is free
  int64_t model_max_length = 131072;
};

struct ByteTokenizerFiles {
  std::string tokenizer_json, tokenizer_config_json;
};

// The two files. The special tokens get the ids wanted (a second one that wants the same id gets another),
// then the bytes and the other tokens take what is free, lowest first: bytes 3 to 258 where nothing else is
// asked. Pure. REQUIRES: vocab_size >= kByteTokenizerSize.
ByteTokenizerFiles byte_tokenizer_files(const ByteTokenizerIds& ids);

// Our own template of the v3.1 format: on every conversation it renders what DeepSeek's does, and fails where
// that fails.
std::string_view byte_tokenizer_template();

}  // namespace fathom::text
