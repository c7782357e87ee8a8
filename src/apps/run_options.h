// Options of every command that runs a model: who computes, in which numerics, on how many threads.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/thread_pool.h"
#include "tensor/context.h"

namespace fathom::apps {

struct RunOptions {
  std::string backend = "cpu";
  std::string isa;  // empty: the best one of this machine
  std::string mode = "fast";
  int threads = 0;  // 0: as many as this process may use
  bool act_quant = false;
};

// Adds --backend, --isa, --mode, --threads and --act-quant. `options` outlives the parse.
void add_run_options(CLI::App& command, RunOptions& options);

// What operations run with. Move-only; `context.pool` points into it.
struct Runtime {
  std::unique_ptr<ThreadPool> pool;
  Context context;
  std::string threads_reason;  // "2 threads (the CPUs this process may run on)", for people
};

// Throws Exception naming the option: an unknown or missing instruction set, a backend that was not built.
Runtime make_runtime(const RunOptions& options);

}  // namespace fathom::apps
