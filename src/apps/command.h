// What a command is: it adds itself to the parser and says what to run. Each command is one file, listed in cli.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace fathom::apps {

// Every adder registers one subcommand and sets `run` from its callback to the function that does the work and returns
// the exit code. Errors are thrown as Exception (exit code 2).
using Run = std::function<int()>;

void add_tokenize(CLI::App& app, Run& run);
void add_verify(CLI::App& app, Run& run);
void add_generate(CLI::App& app, Run& run);
void add_chat(CLI::App& app, Run& run);
void add_serve(CLI::App& app, Run& run);
void add_info(CLI::App& app, Run& run);
void add_init(CLI::App& app, Run& run);
void add_bench(CLI::App& app, Run& run);

}  // namespace fathom::apps
