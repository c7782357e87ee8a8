// The works of SchemaCompiler: one schema document after the other, rule by rule.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "text/grammar_json.h"
#include "text/json_schema_keywords.h"

namespace fathom::text {

// Throws Exception where a schema is refused. REQUIRES: as SchemaCompiler.
class SchemaDocument {
 public:
  using Node = GrammarBuilder::Node;
  using Rule = GrammarBuilder::Rule;

  SchemaDocument(JsonRules& json, WorkBudget& budget, const OrderedJson& root, SchemaRules rules,
                 const std::string& where)
      : json_(json),
        b_(json.builder()),
        budget_(budget),
        root_(root),
        references_(root),
        rules_(rules),
        where_(where) {}

  Rule compile(bool object);

 private:
  // One of the ways in which a value can be valid.
  struct Alternative {
    enum class Kind { kAny, kLiteral, kTyped } kind;
    SchemaPlace place;
    JsonType type = JsonType::kNull;       // kTyped
    const OrderedJson* literal = nullptr;  // kLiteral
  };
  struct Property {
    std::string name;
    std::optional<SchemaPlace> place;  // none: any value
    bool required;
  };
  struct Object {
    std::vector<Property> properties;
    bool open = false;                   // further properties may follow
    std::optional<SchemaPlace> further;  // their schema; none: any value
  };
  struct Items {
    const OrderedJson* prefix = nullptr;
    std::optional<SchemaPlace> rest;  // none: any value
    bool closed = false;              // nothing after the prefix
    int64_t min = 0, max = -1;        // max < 0: no limit
  };

  [[noreturn]] void fail(const SchemaPlace& place, const std::string& keyword, const std::string& problem,
                         const std::string& remedy = "change it") const {
    throw Exception(schema_error(where_, place, keyword, problem, remedy));
  }
  static SchemaPlace part(const SchemaPlace& place, const char* keyword, const std::string& name);

  // References, anyOf and lists of types resolved; a schema that is reached again on the way adds nothing.
  std::vector<Alternative> alternatives(const SchemaPlace& place);
  void check(const SchemaPlace& place);
  SchemaPlace target(const SchemaPlace& place);
  void add_literals(const SchemaPlace& place, std::vector<Alternative>& out) const;
  void add_types(const SchemaPlace& place, std::vector<Alternative>& out) const;

  Rule rule_of(const SchemaPlace& place);
  void add_value(const SchemaPlace& place, Node from, Node to);
  void add_alternative(const Alternative& alternative, Node from, Node to);

  Object read_object(const SchemaPlace& place) const;
  void add_object(const SchemaPlace& place, Node from, Node to);
  void add_further(const Object& object, Node from, Node to);
  Items read_items(const SchemaPlace& place) const;
  void add_array(const SchemaPlace& place, Node from, Node to);
  int64_t count(const SchemaPlace& place, const char* keyword, int64_t otherwise) const;

  Rule string_rule(const SchemaPlace& place);
  CodeDfa string_dfa(const SchemaPlace& place);
  Rule number_rule(const SchemaPlace& place, bool integer);

  JsonRules& json_;
  GrammarBuilder& b_;
  WorkBudget& budget_;
  const OrderedJson& root_;
  ReferenceIndex references_;
  SchemaRules rules_;
  const std::string& where_;
  std::set<const OrderedJson*> checked_;
  std::unordered_map<const OrderedJson*, Rule> made_;
  std::map<std::pair<const OrderedJson*, JsonType>, Rule> scalars_;
  std::vector<std::pair<Rule, SchemaPlace>> queue_;  // rules whose bodies are still to be added
};

}  // namespace fathom::text
