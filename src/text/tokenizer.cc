#include "text/tokenizer.h"

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/split_rules.h"
#include "text/tokenizer_tables.h"
#include "text/unicode_classes.h"

namespace fathom::text {
namespace {

constexpr size_t kMaxText = size_t{1} << 30;

// Spans that touch or overlap joined.
std::vector<Span> joined(std::span<const Span> spans, size_t size) {
  std::vector<Span> out;
  for (const Span& s : spans) {
    FATHOM_CHECK(s.begin <= s.end && s.end <= size && (out.empty() || s.begin >= out.back().begin));
    if (!out.empty() && s.begin <= out.back().end)
      out.back().end = std::max(out.back().end, s.end);
    else
      out.push_back(s);
  }
  return out;
}

// `text` repaired, and `spans`, which held bytes of `text`, moved to the same places in it.
std::string repaired_with_spans(std::string_view text, std::vector<Span>& spans) {
  std::string out;
  size_t begins = 0, ends = 0;
  for (size_t i = 0; i <= text.size();) {
    // A bound inside a character or a broken sequence moves to its end.
    while (begins < spans.size() && spans[begins].begin <= i) spans[begins++].begin = out.size();
    while (ends < spans.size() && spans[ends].end <= i) spans[ends++].end = out.size();
    if (i == text.size()) break;
    const utf8::Decoded d = utf8::decode(text, i);
    utf8::append(out, d.code_point);
    i += d.length;
  }
  return out;
}

}  // namespace

// One call of encode(): plain runs between added tokens are cut and merged.
class Encoding {
 public:
  Encoding(const TokenizerTables& tables, std::string_view text)
      : tables_(tables),
        text_(text),
        shown_(reclassed(text, replaced_) ? std::string_view(replaced_) : text) {
    ids_.reserve(text.size() / 3);
  }

  std::vector<int32_t> take(std::span<const Span> spans) {
    // Added tokens that skip the normalizer are looked for first, the others in what is left: two rounds,
    // though the normalizer is empty, because a name of the first round wins over an overlapping one of the
    // second.
    std::vector<Found> found;
    for (const Span& s : spans) {
      size_t from = s.begin;
      while (from < s.end) {
        const auto m = tables_.first_round.find(text_, from, s.end);
        const size_t stop = m.id < 0 ? s.end : m.begin;
        second_round(from, stop, found);
        if (m.id < 0) break;
        found.push_back({m.begin, m.end, m.id});
        from = m.end;
      }
    }
    size_t done = 0;
    for (const Found& f : found) {
      plain(done, f.begin);
      ids_.push_back(f.id);
      done = f.end;
    }
    plain(done, text_.size());
    return std::move(ids_);
  }

 private:
  using Found = AddedTokenMatcher::Match;

  void second_round(size_t from, size_t to, std::vector<Found>& found) const {
    while (from < to) {
      const auto m = tables_.second_round.find(text_, from, to);
      if (m.id < 0) return;
      found.push_back(m);
      from = m.end;
    }
  }

  void plain(size_t begin, size_t end) {
    if (begin == end) return;
    pieces_.clear();
    tables_.rules.split(shown_, begin, end, pieces_);
    for (const Span& p : pieces_) tables_.bpe.encode(text_.substr(p.begin, p.end - p.begin), ids_);
  }

  const TokenizerTables& tables_;
  std::string_view text_;
  std::string replaced_;
  std::string_view shown_;  // what the rules see in place of text_
  std::vector<Span> pieces_;
  std::vector<int32_t> ids_;
};

std::vector<int32_t> Tokenizer::encode(std::string_view text, Special special) const {
  const Span whole{0, text.size()};
  return encode(text,
                special == Special::recognised ? std::span<const Span>(&whole, 1) : std::span<const Span>{});
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, std::span<const Span> spans) const {
  if (text.size() > kMaxText) throw Exception({"", "", "a text of more than 1 GiB", "encode it in parts"});
  std::vector<Span> merged = joined(spans, text.size());
  if (utf8::valid(text)) return Encoding(*tables_, text).take(merged);
  const std::string valid = repaired_with_spans(text, merged);
  return Encoding(*tables_, valid).take(merged);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool keep_special) const {
  std::string bytes;
  for (const int32_t id : ids)
    if (keep_special || !is_special(id)) bytes += token_bytes(id);
  return utf8::valid(bytes) ? bytes : utf8::repaired(bytes);
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  if (!has_token(id)) return {};
  if (!is_added(id)) return tables_->bpe.bytes(id);
  return tables_->added[static_cast<size_t>(tables_->added_at[static_cast<size_t>(id)])].bytes;
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const { return tables_->id_of(token); }

int32_t Tokenizer::vocab_size() const { return static_cast<int32_t>(tables_->added_at.size()); }

bool Tokenizer::has_token(int32_t id) const { return tables_->bpe.has(id) || is_added(id); }

bool Tokenizer::is_added(int32_t id) const {
  return id >= 0 && id < vocab_size() && tables_->added_at[static_cast<size_t>(id)] >= 0;
}

bool Tokenizer::is_special(int32_t id) const {
  return is_added(id) &&
         tables_->added[static_cast<size_t>(tables_->added_at[static_cast<size_t>(id)])].special;
}

std::optional<int32_t> Tokenizer::bos_id() const { return tables_->bos; }
std::optional<int32_t> Tokenizer::eos_id() const { return tables_->eos; }
std::optional<int32_t> Tokenizer::pad_id() const { return tables_->pad; }
bool Tokenizer::add_bos() const { return tables_->add_bos; }

}  // namespace fathom::text
