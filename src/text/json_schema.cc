#include "text/json_schema.h"

#include <algorithm>

#include "text/json_schema_compiler.h"

namespace fathom::text {

SchemaPlace SchemaDocument::part(const SchemaPlace& place, const char* keyword, const std::string& name) {
  const OrderedJson& inner = *find_keyword(*place.schema, keyword);
  const OrderedJson& schema = inner.is_array() ? inner[std::stoul(name)] : *inner.find(name);
  // Deep paths are cut in messages anyway.
  const std::string path = place.path.size() > 300 ? place.path : place.path + "/" + keyword + "/" + name;
  return {&schema, path};
}

SchemaDocument::Rule SchemaDocument::compile(bool object) {
  const SchemaPlace root{&root_, "#"};
  const auto found = alternatives(root);
  const bool strict = rules_ != SchemaRules::kLoose;
  if (object || strict) {
    if (found.size() == 1 && found[0].kind == Alternative::Kind::kAny) return json_.object();
    const bool objects = std::ranges::all_of(found, [](const Alternative& a) {
      return a.kind == Alternative::Kind::kLiteral
                 ? a.literal->is_object()
                 : a.kind == Alternative::Kind::kTyped && a.type == JsonType::kObject;
    });
    if (!objects) fail(root, "type", "must be object for the whole", "wrap it in an object");
  }
  const Rule rule = rule_of(root);
  for (size_t i = 0; i < queue_.size(); ++i) {
    const auto [next, place] = queue_[i];
    for (const auto& alternative : alternatives(place))
      add_alternative(alternative, b_.start(next), b_.end(next));
    if (b_.full() || budget_.spent())
      throw Exception(grammar_error(GrammarBuilder::Failure::kTooLarge, where_));
  }
  return rule;
}

void SchemaDocument::check(const SchemaPlace& place) {
  if (!checked_.insert(place.schema).second) return;
  budget_.spend(static_cast<int64_t>(place.schema->size()) * 50);
  if (const auto status = check_keywords(place, rules_, where_); !status) throw Exception(status.error());
}

SchemaPlace SchemaDocument::target(const SchemaPlace& place) {
  const auto& reference = find_keyword(*place.schema, "$ref")->get_ref<const std::string&>();
  const OrderedJson* found = references_.find(reference);
  if (found == nullptr) {
    const bool inside = reference.starts_with('#');
    fail(place, "$ref", quotable(reference) + (inside ? " leads nowhere" : " leads out of the schema"),
         "refer to a part of the same schema, like \"#/$defs/name\"");
  }
  if (!found->is_object() && !found->is_boolean()) fail(place, "$ref", quotable(reference) + " is no schema");
  return {found, reference.substr(0, 300)};
}

std::vector<SchemaDocument::Alternative> SchemaDocument::alternatives(const SchemaPlace& place) {
  std::vector<Alternative> out;
  std::set<const OrderedJson*> seen;
  std::vector<SchemaPlace> stack = {place};
  while (!stack.empty() && !budget_.spent()) {
    const SchemaPlace at = stack.back();
    stack.pop_back();
    if (!seen.insert(at.schema).second) continue;
    budget_.spend(10);
    if (at.schema->is_boolean()) {
      if (rules_ != SchemaRules::kLoose)
        fail(at, "schema", "true and false are not supported as strict schemas");
      if (*at.schema == true) out.push_back({Alternative::Kind::kAny, at});
      continue;
    }
    check(at);
    const char* list = find_keyword(*at.schema, "anyOf") != nullptr   ? "anyOf"
                       : find_keyword(*at.schema, "allOf") != nullptr ? "allOf"
                                                                      : nullptr;
    if (find_keyword(*at.schema, "$ref") != nullptr) {
      stack.push_back(target(at));
    } else if (list != nullptr) {
      const size_t size = find_keyword(*at.schema, list)->size();
      if (list == std::string_view("allOf") && size > 1) fail(at, list, "is supported with one schema only");
      for (size_t i = size; i-- > 0;) stack.push_back(part(at, list, std::to_string(i)));
    } else if (find_keyword(*at.schema, "enum") != nullptr || find_keyword(*at.schema, "const") != nullptr) {
      add_literals(at, out);
    } else {
      add_types(at, out);
    }
  }
  return out;
}

void SchemaDocument::add_literals(const SchemaPlace& place, std::vector<Alternative>& out) const {
  const OrderedJson& schema = *place.schema;
  const OrderedJson* only = find_keyword(schema, "const");
  const OrderedJson* list = find_keyword(schema, "enum");
  const bool typed = find_keyword(schema, "type") != nullptr;
  const auto types = types_of(schema);
  const size_t before = out.size();
  const auto add = [&](const OrderedJson& value) {
    const bool right = !typed || std::ranges::any_of(types, [&](JsonType t) { return has_type(value, t); });
    if (right && (only == nullptr || *only == value))
      out.push_back({Alternative::Kind::kLiteral, place, JsonType::kNull, &value});
  };
  if (list == nullptr) {
    add(*only);
  } else {
    for (const OrderedJson& value : *list) add(value);
  }
  if (out.size() == before)
    fail(place, list != nullptr ? "enum" : "const", "holds no value of the type that the schema asks for");
}

void SchemaDocument::add_types(const SchemaPlace& place, std::vector<Alternative>& out) const {
  const auto types = types_of(*place.schema);
  for (const JsonType type : types) out.push_back({Alternative::Kind::kTyped, place, type});
  if (types.empty()) out.push_back({Alternative::Kind::kAny, place});
}

SchemaDocument::Rule SchemaDocument::rule_of(const SchemaPlace& place) {
  // Chains of references share the rule of what they lead to.
  SchemaPlace at = place;
  for (int i = 0; i < 64 && at.schema->is_object() && find_keyword(*at.schema, "$ref") != nullptr; ++i) {
    check(at);
    at = target(at);
  }
  const auto [made, inserted] = made_.try_emplace(at.schema, 0);
  if (inserted) {
    made->second = b_.add_rule();
    queue_.emplace_back(made->second, at);
  }
  return made->second;
}

// Literals stand in the rule itself: in a choice between objects they may be what tells them apart.
void SchemaDocument::add_value(const SchemaPlace& place, Node from, Node to) {
  const auto found = alternatives(place);
  const bool literals =
      std::ranges::all_of(found, [](const Alternative& a) { return a.kind == Alternative::Kind::kLiteral; });
  if (!literals) return b_.call(from, rule_of(place), to);
  for (const auto& alternative : found) add_alternative(alternative, from, to);
}

void SchemaDocument::add_alternative(const Alternative& alternative, Node from, Node to) {
  const SchemaPlace& place = alternative.place;
  if (b_.full()) return;
  if (alternative.kind == Alternative::Kind::kAny) return b_.call(from, json_.value(), to);
  if (alternative.kind == Alternative::Kind::kLiteral) return json_.literal(from, *alternative.literal, to);
  switch (alternative.type) {
    case JsonType::kNull:
      return b_.literal(from, "null", to);
    case JsonType::kBoolean:
      b_.literal(from, "true", to);
      return b_.literal(from, "false", to);
    case JsonType::kInteger:
      return b_.call(from, number_rule(place, true), to);
    case JsonType::kNumber:
      return b_.call(from, number_rule(place, false), to);
    case JsonType::kString:
      return b_.call(from, string_rule(place), to);
    case JsonType::kArray:
      return add_array(place, from, to);
    case JsonType::kObject:
      return add_object(place, from, to);
  }
}

struct SchemaCompiler::Parts {
  JsonRules json;
  WorkBudget& budget;
};

SchemaCompiler::SchemaCompiler(GrammarBuilder& builder, WorkBudget& budget, bool escape_less_than)
    : parts_(new Parts{JsonRules(builder, escape_less_than), budget}) {}
SchemaCompiler::~SchemaCompiler() = default;

Result<GrammarBuilder::Rule> SchemaCompiler::compile(const OrderedJson& schema, SchemaRules rules,
                                                     const std::string& where, bool object) {
  if (!schema.is_object() && !schema.is_boolean())
    return Error{where, "", "must be a JSON schema, an object", "correct it"};
  try {
    return SchemaDocument(parts_->json, parts_->budget, schema, rules, where).compile(object);
  } catch (const Exception& e) {
    return e.error();
  }
}

GrammarBuilder::Rule SchemaCompiler::any_object() { return parts_->json.object(); }
GrammarBuilder::Rule SchemaCompiler::space() { return parts_->json.space(); }

Error grammar_error(GrammarBuilder::Failure failure, const std::string& where) {
  if (failure == GrammarBuilder::Failure::kTooLarge)
    return {where, "", "the schema is too large or too intricate", "simplify or split it"};
  return {where, "", "no value satisfies the schema, or only one that nests too deep", "loosen the schema"};
}

namespace {

std::shared_ptr<const Grammar> build(GrammarBuilder& builder, GrammarBuilder::Rule rule, WorkBudget& budget,
                                     const std::string& where) {
  GrammarBuilder::Failure failure{};
  auto grammar = builder.build(rule, budget, failure);
  if (grammar == nullptr) throw Exception(grammar_error(failure, where));
  return grammar;
}

}  // namespace

Result<std::shared_ptr<const Grammar>> compile_schema(const OrderedJson& schema, SchemaRules rules,
                                                      const std::string& where) {
  GrammarBuilder builder;
  WorkBudget budget(kSchemaWork);
  SchemaCompiler compiler(builder, budget, false);
  const auto rule = compiler.compile(schema, rules, where, false);
  if (!rule) return rule.error();
  try {
    return build(builder, *rule, budget, where);
  } catch (const Exception& e) {
    return e.error();
  }
}

std::shared_ptr<const Grammar> any_object_grammar() {
  GrammarBuilder builder;
  WorkBudget budget(kSchemaWork);
  SchemaCompiler compiler(builder, budget, false);
  return build(builder, compiler.any_object(), budget, "");
}

}  // namespace fathom::text
