#include "text/tokenizer_tables.h"

#include <algorithm>

#include "text/byte_level.h"

namespace fathom::text {

Result<TokenizerTables> TokenizerTables::build(TokenizerFile file, const std::string& where) {
  TokenizerTables tables;
  auto bpe = Bpe::build(file, where);
  if (!bpe) return bpe.error();
  tables.bpe = std::move(*bpe);
  auto rules = SplitRules::compile(file.rules, file.rule_keys, where);
  if (!rules) return rules.error();
  tables.rules = std::move(*rules);
  if (Status s = tables.add_tokens(file, where); !s) return s.error();
  tables.add_bos = file.adds_bos;
  return tables;
}

Status TokenizerTables::add_tokens(const TokenizerFile& file, const std::string& where) {
  int32_t limit = bpe.id_limit();
  for (const AddedToken& t : file.added) limit = std::max(limit, t.id + 1);
  added_at.assign(static_cast<size_t>(limit), -1);
  std::vector<AddedToken> rounds[2];
  for (size_t i = 0; i < file.added.size(); ++i) {
    const AddedToken& t = file.added[i];
    const auto fail = [&](std::string problem) {
      return Error{where, "added_tokens[" + std::to_string(i) + "]", std::move(problem), kTokenizerRemedy};
    };
    // Decoding spells added tokens like all others: names outside the byte alphabet stand for themselves.
    std::string bytes;
    const bool spellable = append_bytes(t.content, bytes);
    const int32_t known = spellable ? bpe.find(bytes) : bpe.find_unspellable(t.content);
    if (known >= 0 && known != t.id)
      return fail("has id " + std::to_string(t.id) + ", but in model.vocab the token has " +
                  std::to_string(known));
    if (known < 0 && bpe.has(t.id))
      return fail("has id " + std::to_string(t.id) + ", which is another token's in model.vocab");
    int32_t& place = added_at[static_cast<size_t>(t.id)];
    if (place >= 0) return fail("has the id of added_tokens[" + std::to_string(place) + "]");
    place = static_cast<int32_t>(i);
    added.push_back({spellable ? std::move(bytes) : t.content, t.special});
    rounds[t.normalized ? 1 : 0].push_back(t);
  }
  first_round = AddedTokenMatcher(std::move(rounds[0]));
  second_round = AddedTokenMatcher(std::move(rounds[1]));
  for (const AddedToken& t : file.added)
    if (id_of(t.content) != t.id || (first_round.by_content(t.content) && second_round.by_content(t.content)))
      return Error{where, "added_tokens", "the token \"" + quotable(t.content, 40) + "\" appears twice",
                   kTokenizerRemedy};
  return Ok{};
}

std::optional<int32_t> TokenizerTables::id_of(std::string_view token) const {
  for (const AddedTokenMatcher* round : {&first_round, &second_round})
    if (const AddedToken* t = round->by_content(token)) return t->id;
  const int32_t id = bpe.find(token);
  return id < 0 ? std::nullopt : std::optional<int32_t>(id);
}

Status TokenizerTables::configure(const TokenizerConfig& config, const std::string& where) {
  const struct {
    const char* key;
    const std::optional<std::string>* name;
    std::optional<int32_t>* id;
  } tokens[] = {
      {"bos_token", &config.bos, &bos}, {"eos_token", &config.eos, &eos}, {"pad_token", &config.pad, &pad}};
  for (const auto& t : tokens) {
    if (!*t.name) continue;
    *t.id = id_of(**t.name);
    if (!*t.id)
      return Error{where, t.key, "tokenizer.json has no token \"" + quotable(**t.name, 40) + "\"",
                   "take both files from the same model"};
  }
  if (config.add_bos) add_bos = *config.add_bos;
  if (config.add_bos.value_or(false) && !bos)
    return Error{where, "add_bos_token", "is true, but no bos_token is named",
                 "add bos_token, or set it to false"};
  add_bos = add_bos && bos;
  return Ok{};
}

}  // namespace fathom::text
