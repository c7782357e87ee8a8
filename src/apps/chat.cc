// fathom chat: a conversation at the terminal.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <random>

#include "apps/chat_session.h"
#include "apps/command.h"
#include "apps/interrupt.h"
#include "apps/line_editor.h"
#include "apps/sampling_options.h"
#include "base/error.h"

namespace fathom::apps {
namespace {

struct ChatArguments {
  EngineArguments engine;
  SamplingOptions sampling;
  std::string system;
  std::optional<std::string> history;
  bool think = false, stats = false;
  int64_t max_tokens = 0;
  std::optional<uint64_t> seed;
};

constexpr const char* kHelp =
    "/think         think before answering, or no longer\n"
    "/retry         answer the last question again\n"
    "/system TEXT   what the model is told first; without TEXT nothing\n"
    "/new           begin another conversation\n"
    "/save FILE     write the conversation as JSON\n"
    "/stats         speed and MTP drafts of the last answer\n"
    "/help          this list\n"
    "/quit, Ctrl-D  leave\n"
    "Ctrl-C stops an answer or forgets the line. Alt-Enter begins another line;\n"
    "pasted lines stay together.\n";

class Chat {
 public:
  Chat(ChatSession& session, LineEditor& editor) : session_(session), editor_(editor) {}

  int run() {
    std::string line;
    while (true) {
      const LineEditor::Kind kind = editor_.read(line);
      if (kind == LineEditor::Kind::end) break;
      if (kind == LineEditor::Kind::cancelled || line.find_first_not_of(" \t\n") == std::string::npos)
        continue;
      try {
        if (line.front() == '/' ? !command(line) : (session_.ask(line), false)) break;
      } catch (const Exception& e) {
        std::fprintf(stderr, "fathom: %s\n", e.what());
        failed_ = true;
      }
      if (interrupted() && !forget_interruption()) return kInterruptedExitCode;
    }
    if (editor_.on_terminal()) std::printf("\n");
    // A script wants to know; a person has seen it.
    return failed_ && !editor_.on_terminal() ? 2 : 0;
  }

 private:
  // False: leave.
  bool command(const std::string& line) {
    const size_t space = std::min(line.find_first_of(" \t\n"), line.size());
    const std::string name = line.substr(0, space);
    const size_t begin = line.find_first_not_of(" \t\n", space);
    const std::string rest = begin == std::string::npos ? "" : line.substr(begin);
    if (name == "/quit" || name == "/exit") return false;
    if (name == "/help")
      say(kHelp);
    else if (name == "/think")
      think(rest);
    else if (name == "/retry")
      session_.retry() ? void() : say("Nothing was asked yet.\n");
    else if (name == "/system")
      session_.set_system(rest), say(rest.empty() ? "No system text.\n" : "System text set.\n");
    else if (name == "/new")
      session_.forget(), say("A new conversation.\n");
    else if (name == "/stats")
      say(session_.stats_line() + "\n");
    else if (name == "/save")
      save(rest);
    else
      say("No such command; /help lists them.\n");
    return true;
  }
  void think(const std::string& rest) {
    bool& think = session_.settings.think;
    think = rest == "on" || (rest != "off" && !think);
    say(think ? "Thinking before answers.\n" : "Answering at once.\n");
  }
  void save(const std::string& path) {
    if (path.empty()) return say("/save needs the name of a file.\n");
    session_.save(path);
    say("Saved.\n");
  }
  static void say(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  ChatSession& session_;
  LineEditor& editor_;
  bool failed_ = false;
};

ChatSettings chat_settings(const ChatArguments& o, const LoadedModel& m) {
  ChatSettings s{.think = o.think,
                 .stats = o.stats,
                 .max_tokens = o.max_tokens,
                 .sampling = o.sampling.over(m.generation.sampling)};
  s.sampling.seed = o.seed ? *o.seed : std::random_device()();
  return s;
}

int chat(const ChatArguments& o) {
  interrupted();
  const LoadedModel m(o.engine);
  m.require_tokenizer();
  infer::Engine engine(m.runtime.context, m.model, m.tokenizer_or_null(), engine_options(o.engine, m));
  const bool person = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
  LineEditor editor("> ", o.history ? *o.history : person ? default_history_file() : std::string());
  ChatSession session(m, engine, chat_settings(o, m), editor.on_terminal());
  session.set_system(o.system);
  if (editor.on_terminal())
    std::printf("%s, %s, room for %lld tokens.\n/help lists the commands.\n",
                m.model.directory.path().c_str(), m.runtime.threads_reason.c_str(),
                static_cast<long long>(std::min(engine.context_tokens(), engine.cache_tokens())));
  return Chat(session, editor).run();
}

}  // namespace

void add_chat(CLI::App& app, Run& run) {
  auto o = std::make_shared<ChatArguments>();
  CLI::App* c = app.add_subcommand("chat", "Talks with a model at the terminal.");
  c->add_flag("--think", o->think, "let the model think before it answers; /think changes it");
  c->add_option("--system", o->system, "what the model is told first; /system changes it");
  c->add_flag("--stats", o->stats, "tell speed and MTP drafts after every answer");
  c->add_option("--max-tokens", o->max_tokens, "longest answer (default: to the end of the context)")
      ->check(CLI::NonNegativeNumber);
  add_sampling_options(*c, o->sampling);
  c->add_option("--seed", o->seed, "the same seed gives the same answers (default: another every time)");
  c->add_option("--history", o->history,
                "file that keeps the lines typed (default: below the home directory; empty: none)");
  add_engine_arguments(*c, o->engine);
  c->footer("Example:\n  $ fathom chat models/v3 --think --stats");
  c->callback([o, &run] { run = [o] { return chat(*o); }; });
}

}  // namespace fathom::apps
