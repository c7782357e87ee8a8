// Runs a program and tells how it went.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fathom::test {

struct ProcessOptions {
  std::string in;                // standard input
  uint64_t file_size_limit = 0;  // RLIMIT_FSIZE: a write beyond it fails as on a full disk; 0: none
  std::function<bool()> interrupt_when = {};  // asked every few milliseconds; the first true sends SIGINT
  double timeout = 240;                       // seconds; then it is killed
};

struct ProcessResult {
  int code = -1;  // exit code, or 128 + the signal that ended it
  std::string out, err;
  double seconds = 0;       // from before the fork to its end
  double cpu_seconds = 0;   // user and system, all threads
  size_t max_resident = 0;  // bytes
};

// `arguments`: the program's path, then its arguments. Throws std::runtime_error when it cannot be started.
ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

// The fathom binary of this build.
ProcessResult run_fathom(std::vector<std::string> arguments, const ProcessOptions& options = {});

// Whether other work holds the CPUs, so that wall-clock time says little about a program.
bool machine_is_busy();

}  // namespace fathom::test
