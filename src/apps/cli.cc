#include "apps/cli.h"

#include <csignal>
#include <cstdio>
#include <exception>

#include "apps/command.h"
#include "base/build.h"
#include "base/error.h"

namespace fathom::apps {
namespace {

int fail(const std::string& line) {
  std::fprintf(stderr, "fathom: %s\n", line.c_str());
  return 2;
}

}  // namespace

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is then an error of write, and what was written is removed
  CLI::App app{"Trains, runs, serves and evaluates models of the DeepSeek-V3 family.", "fathom"};
  app.set_version_flag("--version", build::kVersion);
  app.require_subcommand(1);
  Run chosen;
  add_tokenize(app, chosen);
  add_verify(app, chosen);
  add_generate(app, chosen);
  add_chat(app, chosen);
  add_serve(app, chosen);
  add_info(app, chosen);
  add_init(app, chosen);
  add_bench(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    return fail(quotable(e.what(), 300) + " (fathom --help lists the commands)");
  }
  try {
    return chosen();
  } catch (const Exception& e) {
    return fail(e.what());
  } catch (const std::bad_alloc&) {
    return fail("out of memory; use a smaller model, context or batch");
  } catch (const std::exception& e) {
    return fail(std::string("internal error: ") + quotable(e.what(), 300));
  }
}

}  // namespace fathom::apps
