#include "apps/generate_lines.h"

#include <unistd.h>

#include <cstdio>
#include <deque>
#include <memory>

#include "apps/answer.h"
#include "apps/generate_request.h"
#include "apps/interrupt.h"
#include "apps/line_reader.h"
#include "base/json.h"

namespace fathom::apps {
namespace {

// A line of input: answered by the engine, or bad from the start.
struct Pending {
  std::shared_ptr<Answer> answer;
  infer::RequestId id = 0;
  std::string error;
};

class Lines {
 public:
  Lines(const LoadedModel& model, infer::Engine& engine, int64_t concurrency)
      : model_(model), engine_(engine), ahead_(static_cast<size_t>(concurrency) * 2 + 2) {}

  int run() {
    LineReader reader(STDIN_FILENO);
    bool working = false, cancelled = false;
    while (true) {
      while (!cancelled && pending_.size() < ahead_) {
        const auto line = reader.next(pending_.empty() && !working);
        if (!line) break;
        if (line->find_first_not_of(" \t\r") != std::string::npos) submit(*line);
      }
      working = engine_.step();
      write_ready();
      if (interrupted() && !cancelled) {
        cancelled = true;
        for (const Pending& p : pending_)
          if (p.answer) engine_.cancel(p.id);
        continue;
      }
      if (pending_.empty() && (cancelled || reader.at_end())) break;
    }
    if (cancelled) return kInterruptedExitCode;
    return lines_ > 0 && ran_ == 0 ? 2 : 0;
  }

 private:
  void submit(const std::string& text) {
    ++lines_;
    Pending p;
    try {
      infer::Request request = engine_request(model_, parse_generate_line(text));
      p.answer = std::make_shared<Answer>();
      p.id = engine_.submit(std::move(request), p.answer);
      ++ran_;
    } catch (const Exception& e) {
      p.answer = nullptr;
      p.error = in_line(e.error());
    }
    pending_.push_back(std::move(p));
  }

  std::string in_line(Error error) const {
    const bool ours = error.where == "line" || error.where == "request" || error.where.empty();
    error.where = "line " + std::to_string(lines_) + (ours ? "" : ": " + error.where);
    return error.line();
  }

  // Answers leave in the order of their lines.
  void write_ready() {
    bool any = false;
    while (!pending_.empty() && (!pending_.front().answer || pending_.front().answer->done())) {
      const Pending& p = pending_.front();
      const std::string line =
          json_text(p.answer ? p.answer->json(model_.load_s) : OrderedJson{{"error", p.error}}) + "\n";
      if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) failed();
      pending_.pop_front();
      any = true;
    }
    if (any && std::fflush(stdout) != 0) failed();
  }
  [[noreturn]] static void failed() {
    throw Exception({"standard output", {}, "cannot be written", "check the disk or the reading program"});
  }

  const LoadedModel& model_;
  infer::Engine& engine_;
  size_t ahead_;
  std::deque<Pending> pending_;
  int64_t lines_ = 0, ran_ = 0;
};

}  // namespace

int generate_lines(const LoadedModel& model, infer::Engine& engine, int64_t concurrency) {
  return Lines(model, engine, concurrency).run();
}

}  // namespace fathom::apps
