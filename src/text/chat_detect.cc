#include "text/chat_detect.h"

#include <cctype>
#include <cstdint>
#include <utility>

#include "base/json.h"
#include "base/mapped_file.h"
#include "base/path_exists.h"

namespace fathom::text {
namespace {

constexpr size_t kLimit = size_t{16} << 20;  // tokenizer_config.json lists hundreds of tokens at most

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Text between two tags as it is rendered: trim_blocks takes a newline after a block, lstrip_blocks the
// blanks before one on its line, and a dash on either side all white space.
std::string_view rendered_text(std::string_view raw, std::string_view tag_before,
                               std::string_view tag_after) {
  if (tag_before.ends_with("-%}") || tag_before.ends_with("-}}")) {
    while (!raw.empty() && is_space(raw.front())) raw.remove_prefix(1);
  } else if (tag_before.ends_with("%}") && raw.starts_with('\n')) {
    raw.remove_prefix(1);
  }
  if (tag_after.starts_with("{%-") || tag_after.starts_with("{{-")) {
    while (!raw.empty() && is_space(raw.back())) raw.remove_suffix(1);
  } else if (tag_after.starts_with("{%")) {
    std::string_view line = raw;
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    const bool line_start =
        line.empty() ? tag_before.empty() || tag_before.ends_with("%}") : line.back() == '\n';
    if (line_start) raw = line;
  }
  return raw;
}

// The quoted string that begins `rest`, quotes included; all of it if it is never closed.
std::string_view quoted_beginning(std::string_view rest) {
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == rest[0]) {
      return rest.substr(0, i + 1);
    }
  }
  return rest;
}

// A tag without its white space; a quoted string keeps its own, with newlines spelled one way.
std::string tidy_tag(std::string_view tag) {
  std::string out;
  bool gap = false;
  for (size_t i = 0; i < tag.size(); ++i) {
    const char c = tag[i];
    if (is_space(c)) {
      gap = true;
      continue;
    }
    if (gap && is_word(c) && is_word(out.back())) out += ' ';  // two words stay two words
    gap = false;
    if (c != '\'' && c != '"') {
      out += c;
      continue;
    }
    const std::string_view string = quoted_beginning(tag.substr(i));
    for (size_t k = 0; k < string.size(); ++k) {
      const std::string_view pair = string.substr(k, 2);
      const bool escaped = pair.size() == 2 && pair[0] == '\\';
      out += pair == "\\n" ? "\n" : pair.substr(0, escaped ? 2 : 1);
      if (escaped) ++k;
    }
    i += string.size() - 1;
  }
  return out;
}

// The end of the tag that begins at `at`, quoted strings passed over; the end of the text if it is never
// closed.
size_t tag_end(std::string_view source, size_t at) {
  const std::string_view close = source[at + 1] == '%' ? "%}" : "}}";
  for (size_t i = at + 2; i < source.size(); ++i) {
    if (source[i] == '\'' || source[i] == '"') {
      i += quoted_beginning(source.substr(i)).size() - 1;
    } else if (source.substr(i, 2) == close) {
      return i + 2;
    }
  }
  return source.size();
}

size_t tag_begin(std::string_view source, size_t from) {
  size_t at = source.find('{', from);
  while (at != std::string_view::npos && source.substr(at, 2) != "{%" && source.substr(at, 2) != "{{") {
    at = source.find('{', at + 1);
  }
  return at == std::string_view::npos ? source.size() : at;
}

// FNV-1a, 64 bits, of the template in its tidy form.
uint64_t fingerprint(std::string_view source) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::string_view piece) {
    for (const char c : piece) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  };
  while (!source.empty() && is_space(source.back())) source.remove_suffix(1);
  std::string_view before;
  for (size_t at = 0; at < source.size();) {
    const size_t begin = tag_begin(source, at);
    const size_t end = begin < source.size() ? tag_end(source, begin) : begin;
    const std::string_view tag = source.substr(begin, end - begin);
    add(rendered_text(source.substr(at, begin - at), before, tag));
    add(tidy_tag(tag));
    before = tag;
    at = end;
  }
  return hash;
}

Error unknown(const std::string& where, const std::string& problem) {
  return Error{.where = where,
               .key = "chat_template",
               .problem = problem,
               .remedy = "name its format with --format, one of " + chat_format_names()};
}

// The template inside tokenizer_config.json; empty if it has none.
Result<std::string> template_of_config(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto config = parse_json(file->text(), path, {.bytes = kLimit});
  if (!config) return config.error();
  if (!config->is_object() || !config->contains("chat_template")) return std::string();
  const Json& found = config->at("chat_template");
  if (found.is_string()) return found.get<std::string>();
  if (found.is_null()) return std::string();
  if (found.is_array()) {
    for (const Json& entry : found) {
      const bool complete = entry.is_object() && entry.contains("name") && entry.contains("template");
      if (complete && entry["name"] == "default" && entry["template"].is_string()) {
        return entry["template"].get<std::string>();
      }
    }
  }
  return unknown(path, "holds neither a text nor a list with a \"default\" text");
}

}  // namespace

Result<ChatFormat> chat_format_of_template(std::string_view source, const std::string& where) {
  constexpr std::pair<uint64_t, ChatFormat> kKnown[] = {
      {0xd25f372520bb97c2, ChatFormat::kV3},   {0x29aa0d02c7065488, ChatFormat::kV3_0324},
      {0xee1ef6560d1ab891, ChatFormat::kR1},   {0x6da9df4618ef3c8c, ChatFormat::kR1_0528},
      {0x550b43c89ac3226e, ChatFormat::kV3_1}, {0x813235637a911cf7, ChatFormat::kV3_2Exp},
      {0x9683205d340d09b8, ChatFormat::kV3_1},  // byte_tokenizer_template()
  };
  const uint64_t found = fingerprint(source);
  for (const auto& [known, format] : kKnown) {
    if (known == found) return format;
  }
  return unknown(where, "is not the template of a known chat format");
}

Result<ChatFormat> chat_format_of_directory(const std::string& directory) {
  const std::string jinja = directory + "/chat_template.jinja";
  if (path_exists(jinja)) {
    const auto source = read_file(jinja, kLimit);
    if (!source) return source.error();
    return chat_format_of_template(*source, jinja);
  }
  const std::string config = directory + "/tokenizer_config.json";
  if (!path_exists(config)) return unknown(config, "is missing, and so is chat_template.jinja");
  const auto source = template_of_config(config);
  if (!source) return source.error();
  if (source->empty()) return unknown(config, "is missing");
  return chat_format_of_template(*source, config);
}

}  // namespace fathom::text
