#include "base/mapped_file.h"
#include "base/path_exists.h"
#include "text/tokenizer.h"
#include "text/tokenizer_tables.h"

namespace fathom::text {
namespace {

Result<TokenizerTables> tables_of(std::string_view tokenizer_json, const std::string& where) {
  auto file = read_tokenizer_file(tokenizer_json, where);
  if (!file) return file.error();
  return TokenizerTables::build(std::move(*file), where);
}

Status configure(TokenizerTables& tables, std::string_view config_json, const std::string& where) {
  auto config = read_tokenizer_config(config_json, where);
  if (!config) return config.error();
  return tables.configure(*config, where);
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const std::string& directory) {
  const std::string path = directory + "/tokenizer.json", config_path = directory + "/tokenizer_config.json";
  if (!path_exists(path)) {
    if (!path_exists(directory)) return Error{directory, "", "no such directory", "name a model directory"};
    if (path_exists(directory + "/tiktoken.model"))
      return Error{directory, "tokenizer.json",
                   "is missing: this model carries tiktoken.model, which is not read",
                   "use it with token ids (--ids, verify), or add a converted tokenizer.json for text"};
    return Error{directory, "tokenizer.json", "is missing",
                 "copy it from the published model, or use token ids"};
  }
  const auto json = MappedFile::open(path);
  if (!json) return json.error();
  auto tables = tables_of(json->text(), path);
  if (!tables) return tables.error();
  if (path_exists(config_path)) {
    const auto config = MappedFile::open(config_path);
    if (!config) return config.error();
    if (Status s = configure(*tables, config->text(), config_path); !s) return s.error();
  }
  return Tokenizer(std::make_shared<const TokenizerTables>(std::move(*tables)));
}

Result<Tokenizer> Tokenizer::load_text(std::string_view tokenizer_json, std::string_view config_json,
                                       const std::string& where) {
  auto tables = tables_of(tokenizer_json, where);
  if (!tables) return tables.error();
  if (!config_json.empty())
    if (Status s = configure(*tables, config_json, where + " (configuration)"); !s) return s.error();
  return Tokenizer(std::make_shared<const TokenizerTables>(std::move(*tables)));
}

}  // namespace fathom::text
