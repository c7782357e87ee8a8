#include "text/bpe.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/clock.h"
#include "tests/text/small_tokenizer.h"

namespace fathom::text {
namespace {

using Ids = std::vector<int32_t>;
using Merges = std::vector<std::pair<std::string, std::string>>;

Bpe build(const Merges& merges) {
  const std::string json = test::small_tokenizer_json(merges).dump();
  return Bpe::build(read_tokenizer_file(json, "small").value(), "small").value();
}

// The definition, word for word: again and again the pair of lowest rank, the leftmost of equal ones.
std::vector<std::string> merged_slowly(const Merges& merges, const std::string& piece) {
  std::map<std::pair<std::string, std::string>, size_t> rank;
  for (size_t i = 0; i < merges.size(); ++i) rank[merges[i]] = i;
  std::vector<std::string> parts;
  for (const char c : piece) parts.emplace_back(1, c);
  while (true) {
    size_t best = merges.size(), at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = rank.find({parts[i], parts[i + 1]});
      if (found != rank.end() && found->second < best) best = found->second, at = i;
    }
    if (best == merges.size()) return parts;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

// Merges over three letters, each of tokens that exist by then, in an order that need not be the natural one.
Merges random_merges(std::mt19937& random, size_t count) {
  std::vector<std::string> tokens = {"a", "b", "c"};
  Merges merges;
  while (merges.size() < count) {
    const std::pair merge{tokens[random() % tokens.size()], tokens[random() % tokens.size()]};
    if (std::find(merges.begin(), merges.end(), merge) != merges.end() ||
        merge.first.size() + merge.second.size() > 20)
      continue;
    merges.push_back(merge);
    tokens.push_back(merge.first + merge.second);
  }
  std::shuffle(merges.begin(), merges.end(), random);
  return merges;
}

TEST(Bpe, EqualsItsDefinition) {
  std::mt19937 random(1);
  for (int table = 0; table < 40; ++table) {
    const Merges merges = random_merges(random, 1 + random() % 60);
    const Bpe bpe = build(merges);
    for (int i = 0; i < 60; ++i) {
      std::string piece(1 + random() % (i % 2 == 0 ? 20 : 150), 'a');  // both ways of merging
      for (char& c : piece) c = static_cast<char>('a' + random() % (i % 3 + 1));
      for (int again = 0; again < 2; ++again) {  // the second time whole tokens are remembered
        Ids ids;
        bpe.encode(piece, ids);
        std::vector<std::string> got;
        for (const int32_t id : ids) got.emplace_back(bpe.bytes(id));
        ASSERT_EQ(got, merged_slowly(merges, piece)) << piece;
      }
    }
  }
}

TEST(Bpe, LongPiecesTakeNoSquareOfTime) {
  Merges merges;
  for (std::string a = "a"; a.size() < 128; a += a) merges.emplace_back(a, a);
  merges.emplace_back("b", "a");
  const Bpe bpe = build(merges);
  for (const char* unit : {"a", "ba", "aaab", "bbbb"}) {
    std::string piece;
    while (piece.size() < 1'000'000) piece += unit;
    Stopwatch watch;
    Ids ids;
    bpe.encode(piece, ids);
    EXPECT_LT(watch.seconds(), 30.0) << unit;  // seconds even with sanitizers; a square would take hours
    size_t bytes = 0;
    for (const int32_t id : ids) bytes += bpe.bytes(id).size();
    EXPECT_EQ(bytes, piece.size());
  }
}

}  // namespace
}  // namespace fathom::text
