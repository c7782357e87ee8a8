// fathom tokenize: text to ids and back, one text or a stream of JSON lines.
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/tokenize_chat.h"
#include "base/json.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace fathom::apps {
namespace {

using text::Special;
using text::Tokenizer;

struct TokenizeOptions {
  std::string model;
  std::vector<std::string> texts;
  std::string ids, format;
  bool jsonl = false, chat = false, json = false, no_special = false;
};

constexpr const char* kTokenizeExample =
    "Example:\n"
    "  $ fathom tokenize models/v3 'Hello, world!'\n"
    "  19923 14 2058 3\n"
    "  $ echo '{\"text\": \"Hello, world!\"}' | fathom tokenize models/v3 --jsonl\n"
    "  {\"ids\":[19923,14,2058,3],\"decoded\":\"Hello, world!\"}";

void write_line(const std::string& line) {
  const bool written = std::fwrite(line.data(), 1, line.size(), stdout) == line.size() &&
                       std::fputc('\n', stdout) != EOF && std::fflush(stdout) == 0;
  if (!written)
    throw Exception({"standard output", "", "cannot be written", "check the disk or the reading program"});
}

Error bad_request(std::string key, std::string problem, std::string remedy) {
  return {"request", std::move(key), std::move(problem), std::move(remedy)};
}

// One line {"text": ...} to {"ids": [...], "decoded": ...}.
OrderedJson encode_line(const Tokenizer& tokenizer, const TokenizeOptions& options,
                        const OrderedJson& request) {
  const auto text = request.find("text");
  if (text == request.end() || !text->is_string())
    throw Exception(
        bad_request("text", "is missing or not a text", "write lines like {\"text\": \"Hello\"}"));
  const auto ids = tokenizer.encode(text->get_ref<const std::string&>(),
                                    options.no_special ? Special::plain : Special::recognised);
  return {{"ids", ids}, {"decoded", tokenizer.decode(ids)}};
}

// Answers every line of standard input with one line; a bad one with {"error": ...}.
int run_lines(const Tokenizer& tokenizer, const TokenizeOptions& options) {
  size_t count = 0, good = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string where = "line " + std::to_string(++count);
    OrderedJson answer;
    try {
      const OrderedJson request = parse_ordered_json(line, where).value();
      if (!request.is_object())
        throw Exception({where, "", "is not a JSON object", "write one object a line"});
      answer = encode_line(tokenizer, options, request);
      ++good;
    } catch (const Exception& e) {
      Error error = e.error();
      if (error.where == "request") error.where = where;
      answer = {{"error", error.line()}};
    }
    write_line(json_text(answer));
  }
  if (count > 0 && good == 0)
    throw Exception(
        {"standard input", "", "no line could be answered", "see the \"error\" lines in the output"});
  return 0;
}

int run_chat(const Tokenizer& tokenizer, const TokenizeOptions& options) {
  ChatLineOptions chat{.directory = options.model,
                       .format = std::nullopt,
                       .special = options.no_special ? Special::plain : Special::recognised};
  if (!options.format.empty()) {
    auto named = text::chat_format_named(options.format);
    if (!named) named.error().where = "--format";
    chat.format = named.value();
  }
  tokenize_chat(tokenizer, chat, std::cin, write_line);
  return 0;
}

int32_t parse_id(const Tokenizer& tokenizer, std::string_view word) {
  int64_t id = 0;
  for (const char c : word)
    id = c >= '0' && c <= '9' && id >= 0 && id <= INT32_MAX ? id * 10 + (c - '0') : -1;
  if (id < 0 || id > INT32_MAX || !tokenizer.has_token(static_cast<int32_t>(id)))
    throw Exception({"--ids", quotable(std::string(word), 20), "is not the id of a token",
                     "give numbers from 0 to " + std::to_string(tokenizer.vocab_size() - 1)});
  return static_cast<int32_t>(id);
}

int run_ids(const Tokenizer& tokenizer, const TokenizeOptions& options) {
  std::vector<int32_t> ids;
  constexpr const char* kBetween = " ,\t\r\n[]";
  for (size_t at = options.ids.find_first_not_of(kBetween); at != std::string::npos;) {
    const size_t end = std::min(options.ids.find_first_of(kBetween, at), options.ids.size());
    ids.push_back(parse_id(tokenizer, std::string_view(options.ids).substr(at, end - at)));
    at = options.ids.find_first_not_of(kBetween, end);
  }
  const std::string decoded = tokenizer.decode(ids);
  write_line(options.json ? json_text(OrderedJson{{"ids", ids}, {"decoded", decoded}}) : decoded);
  return 0;
}

int run_texts(const Tokenizer& tokenizer, const TokenizeOptions& options) {
  for (const std::string& text : options.texts) {
    const auto ids = tokenizer.encode(text, options.no_special ? Special::plain : Special::recognised);
    if (options.json) {
      write_line(json_text(OrderedJson{{"ids", ids}, {"decoded", tokenizer.decode(ids)}}));
      continue;
    }
    std::string line;
    for (const int32_t id : ids) line += (line.empty() ? "" : " ") + std::to_string(id);
    write_line(line);
  }
  return 0;
}

int run_tokenize(const TokenizeOptions& options) {
  const int modes = options.jsonl + options.chat + !options.ids.empty() + !options.texts.empty();
  if (modes != 1)
    throw Exception({"tokenize", "", modes == 0 ? "nothing to do" : "more than one source is named",
                     "give one of TEXT, --ids, --jsonl and --chat (fathom tokenize --help)"});
  const Tokenizer tokenizer = Tokenizer::load(options.model).value();
  if (options.jsonl) return run_lines(tokenizer, options);
  if (options.chat) return run_chat(tokenizer, options);
  return options.ids.empty() ? run_texts(tokenizer, options) : run_ids(tokenizer, options);
}

}  // namespace

void add_tokenize(CLI::App& app, Run& run) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command = app.add_subcommand("tokenize", "Turns text into token ids and back.");
  command->add_option("model", options->model, "Directory with tokenizer.json")->required();
  command->add_option("text", options->texts, "Texts to encode; each gives one line of ids");
  command->add_option("--ids", options->ids, "Decodes these ids: \"1 2 3\"");
  command->add_flag("--jsonl", options->jsonl,
                    "Reads lines {\"text\": ...}, writes lines {\"ids\": [...], \"decoded\": ...}");
  command->add_flag(
      "--chat", options->chat,
      "Reads lines {\"messages\", \"thinking\", \"add_generation_prompt\", \"format\"}, writes lines "
      "{\"rendered\", \"ids\"}");
  command->add_option("--format", options->format,
                      "Chat format of lines that name none, instead of what the directory's template tells");
  command->add_flag(
      "--no-special", options->no_special,
      "Takes the names of special tokens for plain text (--chat: outside what the template wrote)");
  command->add_flag("--json", options->json, "Writes JSON instead of plain ids or text");
  command->footer(kTokenizeExample);
  command->callback([options, &run] { run = [options] { return run_tokenize(*options); }; });
}

}  // namespace fathom::apps
