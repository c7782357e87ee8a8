// The grammar of an answer: thoughts, then JSON or calls of tools, or free text that may turn into calls.
#include <algorithm>

#include "base/json.h"
#include "text/chat_markers.h"
#include "text/constraint.h"

namespace fathom::text {
namespace {

using Node = GrammarBuilder::Node;
using Choice = ConstraintSpec::Choice;
using Format = ConstraintSpec::Format;

const OrderedJson& no_parameters() {
  static const OrderedJson kSchema = {
      {"type", "object"}, {"properties", OrderedJson::object()}, {"additionalProperties", false}};
  return kSchema;
}

// Throws Exception where the request is refused.
class AnswerGrammar {
 public:
  AnswerGrammar(const ConstraintSpec& spec, const Tokenizer& tokenizer)
      : spec_(spec),
        tokenizer_(tokenizer),
        budget_(kSchemaWork),
        compiler_(b_, budget_, spec.choice != Choice::kNone && spec.syntax.calls_as_text) {}

  std::shared_ptr<const Grammar> run() {
    const auto root = b_.add_rule();
    const Node answer = b_.add_node();
    end_ = b_.end(root);
    if (spec_.syntax.start == OutputSyntax::Start::kAnswer) {
      b_.epsilon(b_.start(root), answer);
    } else {
      add_thoughts(b_.start(root), answer);
    }
    const bool calls = spec_.choice == Choice::kRequired || spec_.choice == Choice::kNamed;
    if (spec_.format == Format::kText && !calls) {
      add_free_answer(answer);
    } else {
      // Models that think are used to an empty line before their answer.
      Node begin = answer;
      if (spec_.syntax.start != OutputSyntax::Start::kAnswer) {
        begin = b_.add_node();
        b_.epsilon(answer, begin);
        b_.literal(answer, "\n\n", begin);
      }
      if (spec_.choice != Choice::kNone) mark(begin, marker::kCallsBegin, between());
      if (!calls) add_json(begin);
    }
    GrammarBuilder::Failure failure{};
    auto grammar = b_.build(root, budget_, failure);
    if (grammar == nullptr) throw Exception(grammar_error(failure, what()));
    return grammar;
  }

 private:
  bool answer_is_free() const {
    return spec_.format == Format::kText && (spec_.choice == Choice::kAuto || spec_.choice == Choice::kNone);
  }
  std::string what() const {
    return spec_.format == Format::kJsonSchema ? spec_.schema_where : spec_.tools_where;
  }

  bool as_text(std::string_view name) const {
    const bool think = name == marker::kThinkBegin || name == marker::kThinkEnd;
    return think ? spec_.syntax.think_as_text : spec_.syntax.calls_as_text;
  }

  void mark(Node from, std::string_view name, Node to) {
    if (as_text(name)) return b_.literal(from, name, to);
    const auto id = tokenizer_.id_of(name);
    if (!id || !tokenizer_.is_added(*id))
      throw Exception(
          {"tokenizer", std::string(name), "is no token of this model", "use a chat model's tokenizer"});
    b_.token(from, *id, to);
  }

  // Any text from `node` on, which returns there; a marker leads on to its node. Markers that are written as
  // text are looked for in it (Knuth, Morris and Pratt); they begin alike and none begins inside another, so
  // that the nodes for what has matched form a tree.
  struct Exit {
    std::string_view name;
    Node to;
  };
  void add_text(Node node, const std::vector<Exit>& exits, bool free) {
    std::vector<Node> copies = {node};
    std::vector<std::string> prefixes = {""};
    for (const Exit& exit : exits) {
      if (!as_text(exit.name)) continue;
      for (size_t length = 1; length < exit.name.size(); ++length) {
        std::string prefix(exit.name.substr(0, length));
        if (std::ranges::find(prefixes, prefix) != prefixes.end()) continue;
        prefixes.push_back(std::move(prefix));
        copies.push_back(b_.add_node());
      }
    }
    for (size_t i = 0; i < copies.size(); ++i) {
      add_text_bytes(copies[i], prefixes[i], copies, prefixes, exits);
      if (free) {
        b_.any_token(copies[i]);
        b_.epsilon(copies[i], end_);
      }
      for (const Exit& exit : exits)
        if (!as_text(exit.name)) mark(copies[i], exit.name, exit.to);
    }
  }

  void add_text_bytes(Node from, const std::string& matched, const std::vector<Node>& copies,
                      const std::vector<std::string>& prefixes, const std::vector<Exit>& exits) {
    int run = 0;  // first of the bytes that fall back to the start
    const auto flush = [&](int end) {
      if (run < end) b_.bytes(from, static_cast<uint8_t>(run), static_cast<uint8_t>(end - 1), copies[0]);
      run = end + 1;
    };
    for (int byte = 0; byte < 256; ++byte) {
      std::string seen = matched + static_cast<char>(byte);
      const auto exit = std::ranges::find_if(
          exits, [&](const Exit& e) { return as_text(e.name) && std::string_view(seen).ends_with(e.name); });
      if (exit != exits.end()) {
        flush(byte);
        b_.literal(from, seen.substr(seen.size() - 1), exit->to);
        continue;
      }
      auto found = prefixes.begin();
      for (; !seen.empty(); seen.erase(0, 1)) {
        found = std::ranges::find(prefixes, seen);
        if (found != prefixes.end()) break;
      }
      if (seen.empty()) continue;
      flush(byte);
      b_.literal(from, seen.substr(seen.size() - 1), copies[static_cast<size_t>(found - prefixes.begin())]);
    }
    flush(256);
  }

  void add_thoughts(Node start, Node answer) {
    const bool open = spec_.syntax.start == OutputSyntax::Start::kOpen;
    Node thoughts = start;
    if (open) {
      thoughts = b_.add_node();
      mark(start, marker::kThinkBegin, thoughts);
      b_.epsilon(start, answer);
    }
    // Thoughts that are cut short leave nothing behind; that is no answer where a form is asked for.
    add_text(thoughts, {{marker::kThinkEnd, answer}}, answer_is_free());
  }

  void add_free_answer(Node answer) {
    if (spec_.choice == Choice::kNone) return add_text(answer, {}, true);
    add_text(answer, {{marker::kCallsBegin, between()}, {marker::kCallBegin, head()}}, true);
  }

  void add_json(Node begin) {
    const Node spaced = b_.add_node();
    b_.call(begin, compiler_.space(), spaced);
    b_.call(spaced, answer_rule(), end_);
  }

  GrammarBuilder::Rule answer_rule() {
    if (spec_.format == Format::kJsonObject) return compiler_.any_object();
    const auto rule = compiler_.compile(*spec_.schema, spec_.schema_rules, spec_.schema_where, false);
    if (!rule) throw Exception(rule.error());
    return *rule;
  }

  // Where the first call of a list may begin.
  Node between() {
    if (between_ == Grammar::kNone) {
      between_ = b_.add_node();
      mark(between_, marker::kCallBegin, head());
    }
    return between_;
  }

  // After the marker of a call: its head, its arguments, its end; then the end of the list or the next call.
  Node head() {
    if (head_ != Grammar::kNone) return head_;
    head_ = b_.add_node();
    const bool fenced = spec_.syntax.calls == CallSyntax::kFenced;
    Node name = head_;
    if (fenced) {
      const Node type = b_.add_node();
      name = b_.add_node();
      b_.literal(head_, "function", type);
      mark(type, marker::kCallSeparator, name);
    }
    const Node written = b_.add_node(), after = b_.add_node();
    bool any = false;
    for (size_t i = 0; i < spec_.tools.size(); ++i) {
      if (spec_.choice == Choice::kNamed && spec_.tools[i].name != spec_.chosen) continue;
      add_tool(i, name, written);
      any = true;
    }
    if (!any) {
      const std::string problem =
          spec_.choice == Choice::kNamed ? "names no tool of the request" : "needs tools";
      throw Exception({"tool_choice", "", problem, "add the tool or choose another"});
    }
    Node closed = written;
    if (fenced) {
      closed = b_.add_node();
      b_.literal(written, marker::kFenceClose, closed);
    }
    mark(closed, marker::kCallEnd, after);
    mark(after, marker::kCallsEnd, end_);
    if (spec_.parallel_calls) {
      mark(after, marker::kCallBegin, head_);
      if (fenced) b_.literal(after, "\n", between());
    }
    return head_;
  }

  void add_tool(size_t i, Node from, Node to) {
    const ConstraintSpec::Tool& tool = spec_.tools[i];
    const Node named = b_.add_node(), arguments = b_.add_node();
    b_.literal(from, tool.name, named);
    if (spec_.syntax.calls == CallSyntax::kFenced) {
      b_.literal(named, marker::kFenceOpen, arguments);
    } else {
      mark(named, marker::kCallSeparator, arguments);
    }
    if (!tool.strict) return b_.call(arguments, compiler_.any_object(), to);
    const std::string where = spec_.tools_where + "[" + std::to_string(i) + "].function.parameters";
    const OrderedJson& schema = tool.parameters != nullptr ? *tool.parameters : no_parameters();
    const auto rule = compiler_.compile(schema, spec_.tool_rules, where, true);
    if (!rule) throw Exception(rule.error());
    b_.call(arguments, *rule, to);
  }

  const ConstraintSpec& spec_;
  const Tokenizer& tokenizer_;
  GrammarBuilder b_;
  WorkBudget budget_;
  SchemaCompiler compiler_;
  Node end_ = 0;
  Node between_ = Grammar::kNone, head_ = Grammar::kNone;
};

}  // namespace

Result<std::shared_ptr<const Grammar>> constraint_grammar(const ConstraintSpec& spec,
                                                          const Tokenizer& tokenizer) {
  try {
    return AnswerGrammar(spec, tokenizer).run();
  } catch (const Exception& e) {
    return e.error();
  }
}

}  // namespace fathom::text
