// Masks against each token tried by itself, and what a random walk under them writes.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/support/cases.h"
#include "tests/support/schema_validator.h"
#include "tests/text/grammar_schema_cases.h"
#include "tests/text/grammar_walk.h"

namespace fathom::test {
namespace {

using text::CompiledConstraint;
using text::Constraint;
using text::ConstraintSpec;
using text::GrammarMatcher;
using text::SchemaRules;
using text::Tokenizer;
using text::TokenMask;
using text::TokenMaskCache;
using text::TokenTrie;

struct Vocabulary {
  Tokenizer tokenizer;
  std::shared_ptr<const TokenTrie> trie;
  int32_t eos;
};

Vocabulary with_trie(Tokenizer tokenizer) {
  auto trie = std::make_shared<const TokenTrie>(TokenTrie::build(tokenizer).value());
  const int32_t eos = *tokenizer.eos_id();
  return {std::move(tokenizer), std::move(trie), eos};
}

// Bytes, and tokens that cross the borders of JSON's elements.
const Vocabulary& small() {
  static const Vocabulary kVocabulary = [] {
    std::vector<std::pair<std::string, std::string>> merges;
    for (const char* token :
         {"{\"", "\":", "\": ", "\",\"",     "\", \"",   "\"}",      "[[",   "[[[[", "]]",   "}}",
          "],[", "12",  "123",  ".5",        "true",     "null",     "\n  ", "\\n",  "\\\"", "\\u00",
          "é",   "😀",   "abc",  "a\":1,\"b", "\xF0\x9F", "\x80\x22", "},{",  "\"\"", "{}",   "[]",
          "<t",  " \"", ", ",   "-1",        "e+",       "T0",       "2024-"}) {
      const std::string text = token;
      for (size_t i = 1; i < text.size(); ++i) {
        const std::pair merge(text.substr(0, i), text.substr(i, 1));
        if (std::ranges::find(merges, merge) == merges.end()) merges.push_back(merge);
      }
    }
    return with_trie(
        Tokenizer::load_text(small_tokenizer_json(merges).dump(), R"({"eos_token":"</s>"})", "t").value());
  }();
  return kVocabulary;
}

const Vocabulary& deepseek() {
  static const Vocabulary kVocabulary =
      with_trie(Tokenizer::load(cases_directory() + "/tokenizers/deepseek-v3").value());
  return kVocabulary;
}

const Vocabulary& pilot() {
  static const Vocabulary kVocabulary = with_trie(Tokenizer::load(cases_directory() + "/pilot").value());
  return kVocabulary;
}

std::shared_ptr<const CompiledConstraint> compiled(const OrderedJson& schema, const Vocabulary& vocabulary) {
  ConstraintSpec spec;
  spec.format = ConstraintSpec::Format::kJsonSchema;
  spec.schema = &schema;
  return CompiledConstraint::compile(spec, vocabulary.tokenizer, vocabulary.trie, std::array{vocabulary.eos})
      .value();
}

// Every token of the vocabulary by itself.
void expect_exact(Constraint& constraint, const Vocabulary& vocabulary, const std::string& so_far) {
  const auto view = constraint.allowed();
  const std::vector<uint64_t> bits(view.begin(), view.end());
  for (int32_t id = 0; id < vocabulary.tokenizer.vocab_size() + 70; ++id) {
    const bool taken = constraint.accept(id);
    if (taken) constraint.rollback(1);
    ASSERT_EQ(has_token(bits, id), taken)
        << "token " << id << " \"" << vocabulary.tokenizer.token_bytes(id) << "\" after " << so_far;
  }
  const auto again = constraint.allowed();
  ASSERT_TRUE(std::equal(bits.begin(), bits.end(), again.begin(), again.end()));
}

void check_masks(const Vocabulary& vocabulary, uint64_t seeds, size_t every) {
  for (const SchemaCase& one : schema_cases()) {
    SCOPED_TRACE(one.name);
    const OrderedJson schema = OrderedJson::parse(one.schema);
    const auto shared = compiled(schema, vocabulary);
    for (uint64_t seed = 0; seed < seeds; ++seed) {
      Constraint constraint(shared);
      Dice dice(seed);
      std::string so_far;
      for (size_t step = 0; step < 200 && !constraint.finished(); ++step) {
        if ((step + seed) % every == 0) expect_exact(constraint, vocabulary, so_far);
        if (testing::Test::HasFatalFailure()) return;
        const int32_t token =
            pick(constraint.allowed(), vocabulary.tokenizer, vocabulary.eos, dice, step > 40);
        ASSERT_TRUE(constraint.accept(token)) << token << " after " << so_far;
        if (token != vocabulary.eos) so_far += vocabulary.tokenizer.token_bytes(token);
      }
    }
  }
}

TEST(GrammarMask, EqualsEachTokenTriedAlone) { check_masks(small(), 12, 1); }

TEST(CasesGrammarMask, EqualsEachTokenTriedAloneWithThePilot) {
  FATHOM_NEEDS_CASES();
  check_masks(pilot(), 2, 7);
}

TEST(CasesGrammarMask, EqualsEachTokenTriedAloneWithDeepSeek) {
  FATHOM_NEEDS_CASES();
  check_masks(deepseek(), 1, 29);
}

// Long strings share masks as long as no token can tell their states apart.
TEST(GrammarMask, EqualsEachTokenTriedAloneInLongStrings) {
  const OrderedJson schema = OrderedJson::parse(R"({"type":"string","minLength":6,"maxLength":301})");
  const auto shared = compiled(schema, small());
  const auto& masks = *shared->masks();
  size_t represented = 0;
  for (uint32_t s = 0; s + 1 < masks.grammar().states.size(); ++s)
    represented += masks.representative(s) != s ? 1 : 0;
  // After 6 to 172 characters there may still be 129 more: 167 states between characters that are alike.
  EXPECT_GE(represented, 166u);
  Constraint constraint(shared);
  ASSERT_TRUE(constraint.accept(*small().tokenizer.id_of("\"")));
  for (int i = 0; i < 100; ++i) {
    if (i < 5 || i % 7 == 0 || i > 94 || (i > 55 && i < 60))
      expect_exact(constraint, small(), std::to_string(3 * i));
    ASSERT_TRUE(constraint.accept(*small().tokenizer.id_of("abc")));
  }
  expect_exact(constraint, small(), "300 characters");
  ASSERT_TRUE(constraint.accept(*small().tokenizer.id_of("é")));
  expect_exact(constraint, small(), "301 characters");
}

// Deep inside, where the limit of depth cuts tokens apart.
TEST(GrammarMask, EqualsEachTokenTriedAloneAtTheLimitOfDepth) {
  const OrderedJson schema = OrderedJson::parse("{}");
  const auto shared = compiled(schema, small());
  Constraint constraint(shared);
  for (int i = 0; i < 66; ++i) {
    const int32_t open = *small().tokenizer.id_of(i % 3 == 0 ? "{\"" : "[");
    const int32_t close = *small().tokenizer.id_of("\":");
    expect_exact(constraint, small(), "depth " + std::to_string(i));
    if (!constraint.accept(open)) break;
    if (i % 3 == 0) {
      ASSERT_TRUE(constraint.accept(close));
    }
  }
  EXPECT_FALSE(constraint.accept(*small().tokenizer.id_of("[")));
}

// What comes out is JSON, and valid by the schema.
void check_walks(const Vocabulary& vocabulary, uint64_t seeds) {
  size_t walks = 0, unfinished = 0, tokens = 0;
  for (const SchemaCase& one : schema_cases()) {
    SCOPED_TRACE(one.name);
    const OrderedJson schema = OrderedJson::parse(one.schema);
    const auto shared = compiled(schema, vocabulary);
    for (uint64_t seed = 0; seed < seeds; ++seed) {
      Constraint constraint(shared);
      const Answer answer =
          random_answer(constraint, vocabulary.tokenizer, vocabulary.eos, seed + 1000, seed % 5 * 30);
      if (testing::Test::HasFailure()) return;
      ++walks;
      tokens += answer.tokens.size();
      if (!answer.finished) {
        ++unfinished;
        continue;
      }
      const auto document = parse_ordered_json(answer.text, "answer");
      const bool repeated = !document && document.error().problem.find("appears twice") != std::string::npos;
      if (one.maps && repeated) continue;
      ASSERT_TRUE(document) << document.error().line() << "\n" << answer.text;
      ASSERT_EQ(schema_violation(schema, *document), "") << answer.text;
    }
  }
  std::printf("%zu answers, %zu tokens, %zu not finished\n", walks, tokens, unfinished);
  EXPECT_LT(unfinished * 100, walks);
}

TEST(GrammarMask, RandomAnswersAreValid) { check_walks(small(), 200); }

TEST(CasesGrammarMask, RandomAnswersAreValidWithThePilot) {
  FATHOM_NEEDS_CASES();
  check_walks(pilot(), 100);
}

TEST(CasesGrammarMask, RandomAnswersAreValidWithDeepSeek) {
  FATHOM_NEEDS_CASES();
  check_walks(deepseek(), 20);
}

// Going back and on again leads to the same masks as never having gone.
TEST(GrammarMask, RollbackLeavesNoTrace) {
  const auto& cases = schema_cases();
  for (size_t c = 0; c < cases.size(); ++c) {
    SCOPED_TRACE(cases[c].name);
    const OrderedJson schema = OrderedJson::parse(cases[c].schema);
    const auto shared = compiled(schema, small());
    Constraint constraint(shared);
    Dice dice(c);
    std::vector<int32_t> tokens;
    for (int step = 0; step < 400; ++step) {
      const bool back = !tokens.empty() && (dice.below(3) == 0 || constraint.finished());
      if (back) {
        const size_t most = std::min<size_t>(constraint.rollback_limit(), tokens.size());
        ASSERT_GE(most, std::min(tokens.size(), GrammarMatcher::kHistory));
        const size_t count = 1 + dice.below(std::min<size_t>(most, 5));
        constraint.rollback(count);
        tokens.resize(tokens.size() - count);
      } else {
        tokens.push_back(pick(constraint.allowed(), small().tokenizer, small().eos, dice, false));
        ASSERT_TRUE(constraint.accept(tokens.back()));
      }
      if (step % 8 != 0) continue;
      Constraint straight(shared);
      for (const int32_t token : tokens) ASSERT_TRUE(straight.accept(token));
      const auto a = constraint.allowed(), b = straight.allowed();
      ASSERT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
      ASSERT_EQ(constraint.finished(), straight.finished());
    }
  }
}

TEST(GrammarMask, LongAnswersKeepMemoryBounded) {
  const OrderedJson schema = OrderedJson::parse("{}");
  const auto shared = compiled(schema, small());
  Constraint constraint(shared);
  const auto accept = [&](const char* token) {
    ASSERT_TRUE(constraint.accept(*small().tokenizer.id_of(token))) << token;
  };
  accept("[[[[");
  for (int i = 0; i < 30000; ++i) {
    accept("{\"");
    accept("abc");
    accept("\": ");
    accept("{}");
    accept("}");
    accept(", ");
  }
  GrammarMatcher matcher(shared->masks()->shared_grammar());
  ASSERT_TRUE(matcher.accept("["));
  for (int i = 0; i < 30000; ++i) ASSERT_TRUE(matcher.accept("{\"a\":[1]},"));
  EXPECT_LT(matcher.stacks().frame_count(), 10000u);
}

// Copies go their own ways.
TEST(GrammarMask, CopiesAreIndependent) {
  const OrderedJson schema = OrderedJson::parse(R"({"type":"array","items":{"type":"integer"}})");
  Constraint one(compiled(schema, small()));
  ASSERT_TRUE(one.accept(*small().tokenizer.id_of("[")));
  Constraint two = one;
  ASSERT_TRUE(one.accept(*small().tokenizer.id_of("]")));
  ASSERT_TRUE(two.accept(*small().tokenizer.id_of("12")));
  EXPECT_TRUE(one.can_end());
  EXPECT_FALSE(two.can_end());
  ASSERT_TRUE(two.accept(*small().tokenizer.id_of("]")));
  EXPECT_TRUE(two.can_end());
}

// Requests in several threads share one compiled constraint.
TEST(GrammarMask, ThreadsShareTheCache) {
  const OrderedJson schema =
      OrderedJson::parse(R"({"type":"object","additionalProperties":{"type":["string","number"]}})");
  const auto shared = compiled(schema, small());
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < texts.size(); ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t seed = 0; seed < 20; ++seed) {
        Constraint constraint(shared);
        texts[t] += random_answer(constraint, small().tokenizer, small().eos, seed).text;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& text : texts) EXPECT_EQ(text, texts[0]);
}

// A tokenizer has a token for every byte, but special tokens are never part of JSON.
TEST(GrammarMask, AVocabularyWithoutSomeByteIsRefused) {
  Json json = small_tokenizer_json({});
  Json brace = json["added_tokens"][0];
  brace["id"] = json["model"]["vocab"][text::byte_symbols("}")];
  brace["content"] = "}";
  json["added_tokens"].push_back(brace);
  const auto tokenizer = Tokenizer::load_text(json.dump(), "", "t");
  ASSERT_TRUE(tokenizer) << tokenizer.error().line();
  const auto trie = TokenTrie::build(*tokenizer);
  ASSERT_FALSE(trie);
  EXPECT_EQ(trie.error().key, "byte 125");
}

double milliseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// The figures of docs: what a step under a grammar costs with a vocabulary of 128,815 tokens.
TEST(CasesGrammarSpeed, DeepSeekVocabulary) {
  FATHOM_NEEDS_CASES();
  const auto& vocabulary = deepseek();
  const auto building = std::chrono::steady_clock::now();
  const auto trie = TokenTrie::build(vocabulary.tokenizer);
  std::printf("trie: %u nodes, built in %.0f ms\n", trie->size(),
              milliseconds(std::chrono::steady_clock::now() - building));
  const std::pair<const char*, const char*> schemas[] = {
      {"any object", R"({"type":"object"})"},
      {"weather",
       R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1,
          "maximum":14},"unit":{"enum":["celsius","fahrenheit"]},"notes":{"type":"array","items":{"type":"string"}}},
          "required":["city","days","unit","notes"],"additionalProperties":false})"},
      {"patterns",
       R"({"type":"object","properties":{"id":{"type":"string","format":"uuid"},"mail":{"type":"string",
          "format":"email"},"free":{"type":"string","pattern":"^[^x]*$"},"short":{"type":"string","maxLength":400}},
          "required":["id","mail","free","short"],"additionalProperties":false})"}};
  for (const auto& [name, text] : schemas) {
    const OrderedJson schema = OrderedJson::parse(text);
    const auto begin = std::chrono::steady_clock::now();
    const auto shared = compiled(schema, vocabulary);
    const double compiling = milliseconds(std::chrono::steady_clock::now() - begin);
    for (const char* round : {"cold", "warm"}) {
      std::vector<double> times;
      for (uint64_t seed = 0; seed < 30; ++seed) {
        Constraint constraint(shared);
        Dice dice(seed);
        for (size_t step = 0; step < 300 && !constraint.finished(); ++step) {
          const auto start = std::chrono::steady_clock::now();
          const auto allowed = constraint.allowed();
          auto spent = std::chrono::steady_clock::now() - start;
          const int32_t token = pick(allowed, vocabulary.tokenizer, vocabulary.eos, dice, step > 250);
          const auto again = std::chrono::steady_clock::now();
          ASSERT_TRUE(constraint.accept(token));
          spent += std::chrono::steady_clock::now() - again;
          times.push_back(milliseconds(spent));
        }
      }
      std::sort(times.begin(), times.end());
      double sum = 0;
      for (const double time : times) sum += time;
      std::printf(
          "%-11s compiled in %5.1f ms; %s: %zu steps, mean %.4f ms, median %.4f, p99 %.4f, most %.3f\n", name,
          compiling, round, times.size(), sum / static_cast<double>(times.size()), times[times.size() / 2],
          times[times.size() * 99 / 100], times.back());
      // The bar: 5 % of a step of 16 ms. Sanitizers and busy machines are slower.
      EXPECT_LT(sum / static_cast<double>(times.size()), 8.0) << round;
    }
  }
}

}  // namespace
}  // namespace fathom::test
