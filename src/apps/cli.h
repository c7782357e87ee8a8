// The command line: `fathom <command> ...`. The only folder that reads argv or ends the process.
#pragma once

namespace fathom::apps {

// Runs one command and returns the exit code: 0 success, 1 a check that did not pass, 2 bad input, 130 interrupted.
int run(int argc, char** argv);

}  // namespace fathom::apps
