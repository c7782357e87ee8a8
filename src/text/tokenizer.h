// Byte-level BPE tokenizer of a model directory: text to ids and back, exactly as Hugging Face `tokenizers`
// does it for this family.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/span.h"

namespace fathom::text {

// Whether the names of added tokens ("<｜User｜>") in a text become those tokens or stay plain text.
enum class Special { recognised, plain };

struct TokenizerTables;

// Immutable and cheap to copy (copies share the tables); every method may be called from any number of
// threads at once.
class Tokenizer {
 public:
  // Reads DIRECTORY/tokenizer.json and, where present, tokenizer_config.json. Refused in one line: other
  // kinds of tokenizers, components that would change the ids, bad rules, merges or ids, a directory with
  // tiktoken.model only.
  static Result<Tokenizer> load(const std::string& directory);

  // The same from texts; `config_json` may be empty (no tokenizer_config.json). `where` names the source in
  // errors.
  static Result<Tokenizer> load_text(std::string_view tokenizer_json, std::string_view config_json,
                                     const std::string& where);

  // Ids of a text; BOS is never added. Invalid UTF-8 is first replaced by U+FFFD, one per broken sequence.
  // Linear in the text but for a logarithm. Throws Exception for a text above 1 GiB or a rule that runs away
  // on it.
  std::vector<int32_t> encode(std::string_view text, Special special) const;

  // The same, with added tokens recognised only where their whole name lies inside one of `spans`; spans that
  // touch or overlap count as one. The rest is encoded as one text, so ids equal those of Special::recognised
  // whenever no name stands outside the spans. REQUIRES: spans ascend by `begin` and lie within the text.
  std::vector<int32_t> encode(std::string_view text, std::span<const Span> spans) const;

  // Text of the ids: always valid UTF-8 (broken sequences become U+FFFD). Ids without a token give nothing.
  // keep_special = false leaves out tokens marked special, as skip_special_tokens does.
  std::string decode(std::span<const int32_t> ids, bool keep_special = true) const;

  // The bytes an id stands for, possibly part of a character; empty for ids without a token. Valid as long as
  // any copy of this tokenizer.
  std::string_view token_bytes(int32_t id) const;

  // Id of an added token by its name, else of the vocabulary entry that stands for exactly these bytes.
  std::optional<int32_t> id_of(std::string_view token) const;

  int32_t vocab_size() const;  // largest id of a token, plus one
  bool has_token(
      int32_t id) const;            // false for ids no token has: any int32, gaps and beyond the end included
  bool is_added(int32_t id) const;  // listed in added_tokens
  bool is_special(int32_t id) const;  // an added token marked special

  // From tokenizer_config.json; nullopt where it names none.
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  bool add_bos() const;  // whether plain text gets BOS in front (add_bos_token)

 private:
  explicit Tokenizer(std::shared_ptr<const TokenizerTables> tables) : tables_(std::move(tables)) {}
  std::shared_ptr<const TokenizerTables> tables_;
};

// Text of ids that arrive one by one: what is returned never ends inside a character. The pieces joined equal
// Tokenizer::decode of all ids. One object serves one stream, one thread at a time.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool keep_special = true)
      : tokenizer_(std::move(tokenizer)), keep_special_(keep_special) {}

  std::string feed(int32_t id);
  std::string feed(std::span<const int32_t> ids);

  // The rest, an unfinished character as U+FFFD; the decoder is then as new.
  std::string flush();

 private:
  Tokenizer tokenizer_;
  bool keep_special_;
  std::string pending_;
};

}  // namespace fathom::text
