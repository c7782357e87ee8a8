// Which documents the grammars of schemas take, and which schemas are refused.
#include <gtest/gtest.h>

#include <ctime>

#include "base/json.h"
#include "tests/support/schema_validator.h"
#include "tests/text/grammar_schema_cases.h"
#include "text/grammar_matcher.h"

namespace fathom::test {
namespace {

using text::compile_schema;
using text::GrammarMatcher;
using text::SchemaRules;

OrderedJson parsed(const std::string& text) { return OrderedJson::parse(text); }

bool takes(const std::shared_ptr<const text::Grammar>& grammar, const std::string& document) {
  GrammarMatcher matcher(grammar);
  for (const char c : document)
    if (!matcher.accept({&c, 1})) return false;
  return matcher.can_end();
}

TEST(GrammarSchema, TakesWhatIsValidAndNothingElse) {
  for (const SchemaCase& one : schema_cases()) {
    SCOPED_TRACE(one.name);
    const OrderedJson schema = parsed(one.schema);
    const bool object = schema.contains("type") && schema["type"] == "object";
    const auto rules = object || one.rules == SchemaRules::kOpenAi ? one.rules : SchemaRules::kLoose;
    const auto grammar = compile_schema(schema, rules, "schema");
    ASSERT_TRUE(grammar) << grammar.error().line();
    for (const auto& document : one.good) {
      EXPECT_TRUE(takes(*grammar, document)) << document;
      EXPECT_EQ(schema_violation(schema, parsed(document)), "") << document;
    }
    for (const auto& document : one.bad) EXPECT_FALSE(takes(*grammar, document)) << document;
  }
}

// Every prefix of an accepted document must be accepted, in whatever pieces.
TEST(GrammarSchema, PiecesDoNotMatter) {
  for (const SchemaCase& one : schema_cases()) {
    const auto grammar = compile_schema(parsed(one.schema), SchemaRules::kLoose, "schema");
    for (const auto& document : one.good) {
      for (size_t step = 1; step <= document.size(); ++step) {
        GrammarMatcher matcher(*grammar);
        for (size_t at = 0; at < document.size(); at += step)
          EXPECT_TRUE(matcher.accept(std::string_view(document).substr(at, step))) << one.name << document;
        EXPECT_TRUE(matcher.can_end());
      }
    }
  }
}

TEST(GrammarSchema, WhiteSpaceIsBounded) {
  const auto grammar = text::any_object_grammar();
  const std::string most = "\n" + std::string(40, ' ');
  EXPECT_TRUE(takes(grammar, "{" + most + "\"a\": 1," + most + "\"b\": [" + most + "]" + most + "}"));
  EXPECT_FALSE(takes(grammar, "{" + most + " \"a\":1}"));
  EXPECT_FALSE(takes(grammar, "{  \"a\":1}"));
  EXPECT_FALSE(takes(grammar, "{\"a\":1}\n"));
  EXPECT_FALSE(takes(grammar, "{\"a\":\n1}"));
}

TEST(GrammarSchema, DepthEndsAtWhatTheParserReads) {
  const auto grammar = text::any_object_grammar();
  for (const int depth : {1, 20, 63}) {
    std::string document = "{\"a\":" + std::string(static_cast<size_t>(depth - 1), '[') + "1" +
                           std::string(static_cast<size_t>(depth - 1), ']') + "}";
    EXPECT_TRUE(takes(grammar, document)) << depth;
    EXPECT_TRUE(parse_ordered_json(document, ""));
  }
  GrammarMatcher matcher(grammar);
  ASSERT_TRUE(matcher.accept("{\"a\":"));
  int depth = 1;
  while (matcher.accept("[")) ++depth;
  EXPECT_LE(depth, 64);
  EXPECT_GE(depth, 60);
  // There is a way back from the deepest point.
  for (; depth > 1; --depth) ASSERT_TRUE(matcher.accept("]"));
  EXPECT_TRUE(matcher.accept("}"));
  EXPECT_TRUE(matcher.can_end());
}

// A recursive schema whose smallest value needs several levels must not be entered too late to leave.
TEST(GrammarSchema, NeverGoesTooDeepToComeBack) {
  const auto schema = parsed(R"({"type":"object","properties":{"a":{"anyOf":[{"$ref":"#"},
      {"type":"array","minItems":1,"items":{"type":"array","minItems":1,"items":{"type":"object","properties":
      {"b":{"type":"null"}},"required":["b"]}}}]}},"required":["a"]})");
  const auto grammar = compile_schema(schema, SchemaRules::kLoose, "schema");
  ASSERT_TRUE(grammar);
  GrammarMatcher matcher(*grammar);
  std::string document;
  int levels = 0;
  while (matcher.accept("{\"a\":")) document += "{\"a\":", ++levels;
  EXPECT_GT(levels, 50);
  EXPECT_FALSE(matcher.accept("{"));
  document += R"([[{"b":null}]])" + std::string(static_cast<size_t>(levels), '}');
  ASSERT_TRUE(matcher.accept(R"([[{"b":null}]])" + std::string(static_cast<size_t>(levels), '}')));
  EXPECT_TRUE(matcher.can_end());
  EXPECT_TRUE(parse_ordered_json(document, ""));
}

struct Refusal {
  const char* schema;
  const char* keyword;
  SchemaRules rules = SchemaRules::kLoose;
};

TEST(GrammarSchema, RefusalsNameTheKeyword) {
  const Refusal refusals[] = {
      {R"({"type":"object","oneOf":[{}]})", "oneOf"},
      {R"({"not":{}})", "not"},
      {R"({"if":{}})", "if"},
      {R"({"then":{}})", "then"},
      {R"({"else":{}})", "else"},
      {R"({"patternProperties":{}})", "patternProperties"},
      {R"({"propertyNames":{}})", "propertyNames"},
      {R"({"minProperties":1})", "minProperties"},
      {R"({"maxProperties":1})", "maxProperties"},
      {R"({"dependencies":{}})", "dependencies"},
      {R"({"dependentRequired":{}})", "dependentRequired"},
      {R"({"dependentSchemas":{}})", "dependentSchemas"},
      {R"({"unevaluatedProperties":false})", "unevaluatedProperties"},
      {R"({"unevaluatedItems":false})", "unevaluatedItems"},
      {R"({"additionalItems":false})", "additionalItems"},
      {R"({"contains":{}})", "contains"},
      {R"({"minContains":1})", "minContains"},
      {R"({"maxContains":1})", "maxContains"},
      {R"({"type":"array","uniqueItems":true})", "uniqueItems"},
      {R"({"contentEncoding":"base64"})", "contentEncoding"},
      {R"({"contentMediaType":"a"})", "contentMediaType"},
      {R"({"contentSchema":{}})", "contentSchema"},
      {R"({"$anchor":"a"})", "$anchor"},
      {R"({"$dynamicRef":"#a"})", "$dynamicRef"},
      {R"({"$dynamicAnchor":"a"})", "$dynamicAnchor"},
      {R"({"$recursiveRef":"#"})", "$recursiveRef"},
      {R"({"$recursiveAnchor":true})", "$recursiveAnchor"},
      {R"({"allOf":[{"type":"null"},{"type":"null"}]})", "allOf"},
      {R"({"type":"strin"})", "type"},
      {R"({"type":[]})", "type"},
      {R"({"type":1})", "type"},
      {R"({"enum":[]})", "enum"},
      {R"({"enum":{}})", "enum"},
      {R"({"type":"string","enum":[1]})", "enum"},
      {R"({"type":"string","const":1})", "const"},
      {R"({"enum":["a"],"pattern":"a"})", "pattern"},
      {R"({"anyOf":[]})", "anyOf"},
      {R"({"anyOf":[{}],"type":"null"})", "type"},
      {R"({"$ref":"#/a"})", "$ref"},
      {R"({"$ref":"http://x/y"})", "$ref"},
      {R"({"$ref":"other.json#"})", "$ref"},
      {R"({"$ref":1})", "$ref"},
      {R"({"$ref":"#/$defs/a","minimum":1,"$defs":{"a":{}}})", "minimum"},
      {R"({"properties":[]})", "properties"},
      {R"({"properties":{"a":1}})", "properties"},
      {R"({"required":"a"})", "required"},
      {R"({"properties":{"a":{}},"required":["b"]})", "required"},
      {R"({"type":"array","items":[{}]})", "items"},
      {R"({"prefixItems":{}})", "prefixItems"},
      {R"({"type":"array","minItems":-1})", "minItems"},
      {R"({"type":"array","minItems":2,"maxItems":1})", "minItems"},
      {R"({"type":"array","maxItems":1.5})", "maxItems"},
      {R"({"type":"array","maxItems":1000000000})", "maxItems"},
      {R"({"type":"string","maxLength":1000000000})", "maxLength"},
      {R"({"type":"string","minLength":50000})", "minLength"},
      {R"({"type":"string","minLength":3,"maxLength":2})", "maxLength"},
      {R"({"type":"string","pattern":"("})", "pattern"},
      {R"({"type":"string","pattern":"(?=a)b"})", "pattern"},
      {R"({"type":"string","pattern":"(?<!a)b"})", "pattern"},
      {R"({"type":"string","pattern":"(a)\\1"})", "pattern"},
      {R"({"type":"string","pattern":"(?<n>a)\\k<n>"})", "pattern"},
      {R"({"type":"string","pattern":"\\bx"})", "pattern"},
      {R"({"type":"string","pattern":"\\p{L}"})", "pattern"},
      {R"({"type":"string","pattern":"(?i)a"})", "pattern"},
      {R"({"type":"string","pattern":"a**"})", "pattern"},
      {R"({"type":"string","pattern":"[b-a]"})", "pattern"},
      {R"({"type":"string","pattern":"a$b"})", "pattern"},
      {R"({"type":"string","pattern":"^a{2}$","maxLength":1})", "maxLength"},
      {R"({"type":"string","format":"uri"})", "format"},
      {R"({"type":"string","format":1})", "format"},
      {R"({"type":"integer","minimum":"1"})", "minimum"},
      {R"({"type":"integer","minimum":3,"maximum":2})", "minimum"},
      {R"({"type":"integer","exclusiveMinimum":3,"exclusiveMaximum":4})", "exclusiveMinimum"},
      {R"({"type":"number","exclusiveMinimum":true})", "exclusiveMinimum"},
      {R"({"type":"number","multipleOf":0})", "multipleOf"},
      {R"({"type":"number","multipleOf":0.123456789})", "multipleOf"},
      {R"({"type":"integer","multipleOf":10,"minimum":1,"maximum":9})", "multipleOf"},
      {R"(3)", ""},
      {R"({"$ref":"#"})", ""},
      {R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})", ""},
      // Strict rules.
      {R"({"type":"string"})", "type", SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false})", "type",
       SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":{"type":"null"}},"required":["a"]})", "additionalProperties",
       SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":{"type":"null"}},"required":["a"],"additionalProperties":true})",
       "additionalProperties", SchemaRules::kOpenAi},
      {R"({"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":false})", "required",
       SchemaRules::kOpenAi},
      {R"({"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],
           "additionalProperties":false})",
       "minLength", SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":{"type":"string","maxLength":1}},"required":["a"],
           "additionalProperties":false})",
       "maxLength", SchemaRules::kOpenAi},
      {R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"null"},"minItems":1}},
           "required":["a"],"additionalProperties":false})",
       "minItems", SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"null"},"maxItems":1}},
           "required":["a"],"additionalProperties":false})",
       "maxItems", SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":{"type":"array"}},"required":["a"],"additionalProperties":false})",
       "items", SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{},"additionalProperties":false,"x-own":1})", "x-own",
       SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":true},"required":["a"],"additionalProperties":false})", "schema",
       SchemaRules::kDeepSeek},
      {R"({"type":"object","properties":{"a":{"allOf":[{"type":"null"}]}},"required":["a"],
           "additionalProperties":false})",
       "allOf", SchemaRules::kOpenAi},
  };
  for (const Refusal& refusal : refusals) {
    const auto grammar = compile_schema(parsed(refusal.schema), refusal.rules, "response_format");
    ASSERT_FALSE(grammar) << refusal.schema;
    EXPECT_EQ(grammar.error().key, refusal.keyword) << refusal.schema << " " << grammar.error().line();
    EXPECT_EQ(grammar.error().where, "response_format");
  }
  const auto deep = compile_schema(
      parsed(R"j({"properties":{"a":{"anyOf":[{"type":"null"},{"type":"string","pattern":"(?=x)"
}]
}
}
})j"),
      SchemaRules::kLoose, "s");
  EXPECT_EQ(deep.error().line(),
            "s: pattern: uses lookaround, which is not supported (character 2) (at #/properties/a/anyOf/1); "
            "simplify the pattern");
}

TEST(GrammarSchema, StrictRulesTakeTheirKeywords) {
  const auto schema = parsed(R"({"type":"object","description":"d","properties":{
      "a":{"type":"string","pattern":"^x","description":"d"},"b":{"type":"string","format":"email"},
      "c":{"type":"number","minimum":0,"exclusiveMaximum":10,"multipleOf":0.5,"default":1},
      "d":{"type":["integer","null"],"exclusiveMinimum":0,"maximum":10},"e":{"type":"array","items":{"type":"boolean"}},
      "f":{"enum":["x","y"]},"g":{"anyOf":[{"type":"null"},{"$ref":"#/$def/t"}]},"h":{"type":"string","const":"k"}},
      "required":["a","b","c","d","e","f","g","h"],"additionalProperties":false,
      "$def":{"t":{"type":"object","properties":{},"additionalProperties":false}}})");
  for (const auto rules : {SchemaRules::kDeepSeek, SchemaRules::kOpenAi}) {
    const auto grammar = compile_schema(schema, rules, "s");
    ASSERT_TRUE(grammar) << grammar.error().line();
    EXPECT_TRUE(takes(
        *grammar,
        R"({"a": "xy", "b": "a@b.cd", "c": 9.5, "d": null, "e": [true], "f": "y", "g": {}, "h": "k"})"));
    EXPECT_FALSE(
        takes(*grammar,
              R"({"a": "xy", "b": "a@b.cd", "c": 10, "d": null, "e": [true], "f": "y", "g": {}, "h": "k"})"));
  }
}

// Every integer and every decimal with two places near the limits, against arithmetic.
TEST(GrammarSchema, NumbersHoldTheirLimits) {
  const int limits[] = {-1000, -101, -100, -99, -10, -9, -1, 0, 1, 5, 9, 10, 11, 99, 100, 101, 999, 1000};
  for (const int low : limits) {
    for (const int high : limits) {
      if (low > high) continue;
      const auto integers = compile_schema({{"type", "integer"}, {"minimum", low}, {"maximum", high}},
                                           SchemaRules::kLoose, "s");
      ASSERT_TRUE(integers) << low << " " << high;
      for (int i = -1105; i <= 1105; ++i)
        ASSERT_EQ(takes(*integers, std::to_string(i)), i >= low && i <= high)
            << i << " in " << low << ", " << high;
      const auto numbers =
          compile_schema({{"type", "number"}, {"exclusiveMinimum", low / 8.0}, {"maximum", high / 8.0}},
                         SchemaRules::kLoose, "s");
      if (low == high) {
        EXPECT_FALSE(numbers);
        continue;
      }
      for (int i = -13000; i <= 13000; i += 5) {
        if (i == 0) continue;
        const int whole = std::abs(i) / 100, cents = std::abs(i) % 100;
        const std::string text = std::string(i < 0 ? "-" : "") + std::to_string(whole) + "." +
                                 std::to_string(cents / 10) + std::to_string(cents % 10);
        ASSERT_EQ(takes(*numbers, text), 8 * i > 100 * low && 8 * i <= 100 * high)
            << text << " " << low << " " << high;
      }
    }
  }
}

TEST(GrammarSchema, MultiplesAreMultiples) {
  for (const int of : {1, 2, 3, 6, 7, 10, 12, 97, 100, 250, 1000}) {
    const auto integers = compile_schema({{"type", "integer"}, {"multipleOf", of}}, SchemaRules::kLoose, "s");
    ASSERT_TRUE(integers);
    for (int i = -1000; i <= 1000; ++i)
      ASSERT_EQ(takes(*integers, std::to_string(i)), i % of == 0) << i << " " << of;
    const auto cents =
        compile_schema({{"type", "number"}, {"multipleOf", of / 100.0}}, SchemaRules::kLoose, "s");
    ASSERT_TRUE(cents);
    for (int i = 1; i <= 3000; ++i) {
      std::string text = std::to_string(i / 100) + "." + std::to_string(i / 10 % 10) + std::to_string(i % 10);
      // No more places than the unit has are written.
      while (of % 10 == 0 && text.back() == '0' && text.find('.') != std::string::npos) text.pop_back();
      if (of % 100 == 0 && text.back() == '.') text.pop_back();
      if (text.back() == '.') continue;
      ASSERT_EQ(takes(*cents, text), i % of == 0) << text << " " << of;
    }
  }
}

// Without a search through all members, which is what an ordered object does.
void add(OrderedJson& object, const std::string& name, OrderedJson value) {
  object.get_ref<OrderedJson::object_t&>().emplace_back(name, std::move(value));
}

// Nothing a client sends may take long or much memory; what is too much is refused.
TEST(GrammarSchema, HostileSchemasAreBounded) {
  std::vector<std::pair<const char*, OrderedJson>> schemas;
  const auto pattern = [](const std::string& text) {
    return OrderedJson{{"type", "string"}, {"pattern", text}};
  };
  schemas.emplace_back("exponential subset", pattern("(a|b)*a(a|b){30}"));
  schemas.emplace_back("nested counts", pattern("((((a{99}){99}){99}){99}){99}"));
  schemas.emplace_back("nested empty counts", pattern("(((){999999}){999999}){999999}"));
  schemas.emplace_back("many classes", pattern([] {
                         std::string text = "^(";
                         for (int i = 0; i < 700; ++i)
                           text += "[^" + std::string(1, static_cast<char>('a' + i % 26)) + "]*|";
                         return text + "x){1,90}$";
                       }()));
  schemas.emplace_back("deep groups", pattern(std::string(4000, '(') + std::string(4000, ')')));
  OrderedJson wide = {{"type", "object"}, {"properties", OrderedJson::object()}};
  for (int i = 0; i < 20000; ++i) add(wide["properties"], "field_" + std::to_string(i), {{"type", "string"}});
  schemas.emplace_back("many optional properties", wide);
  OrderedJson permuted = {{"anyOf", OrderedJson::array()}};
  for (int p = 0; p < 40; ++p) {
    OrderedJson object = {{"type", "object"}, {"properties", OrderedJson::object()}};
    for (int i = 0; i < 40; ++i)
      object["properties"]["k" + std::to_string((i * (2 * p + 1) + p) % 41)] = {{"type", "null"}};
    permuted["anyOf"].push_back(object);
  }
  schemas.emplace_back("objects in many orders", permuted);
  OrderedJson chain = {{"$ref", "#/$defs/d0"}, {"$defs", OrderedJson::object()}};
  for (int i = 0; i < 20000; ++i)
    add(chain["$defs"], "d" + std::to_string(i), {{"$ref", "#/$defs/d" + std::to_string(i + 1)}});
  add(chain["$defs"], "d20000", {{"type", "null"}});
  schemas.emplace_back("chain of references", chain);
  OrderedJson doubling = {{"type", "object"}, {"$defs", OrderedJson::object()}};
  for (int i = 0; i < 60; ++i) {
    const OrderedJson next = {{"$ref", "#/$defs/d" + std::to_string(i + 1)}};
    doubling["$defs"]["d" + std::to_string(i)] = {
        {"anyOf",
         {{{"type", "array"}, {"items", next}}, {{"type", "array"}, {"items", next}, {"minItems", 1}}}}};
  }
  doubling["$defs"]["d60"] = {{"type", "null"}};
  doubling["properties"]["a"] = {{"$ref", "#/$defs/d0"}};
  schemas.emplace_back("doubling", doubling);
  schemas.emplace_back(
      "long array",
      OrderedJson{{"type", "array"}, {"maxItems", 99999}, {"items", {{"enum", {"abcdefghij"}}}}});
  for (const auto& [name, schema] : schemas) {
    const std::clock_t begin = std::clock();  // the processor's time: others' work must not count
    const auto grammar = compile_schema(schema, SchemaRules::kLoose, "s");
    const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    std::printf("%-28s %6.0f ms  %s\n", name, took * 1e3,
                grammar ? (std::to_string((*grammar)->states.size()) + " states").c_str()
                        : grammar.error().line().c_str());
    EXPECT_LT(took, 20) << name;  // about a second; six under the address sanitizer
    if (grammar) {
      EXPECT_LE((*grammar)->states.size(), text::GrammarBuilder::kMaxStates + 1);
    }
  }
}

}  // namespace
}  // namespace fathom::test
