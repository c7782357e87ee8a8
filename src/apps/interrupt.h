// Ctrl-C as a flag that work looks at, so that it can stop cleanly instead of dying half-way.
#pragma once

#include <atomic>

namespace fathom::apps {

inline constexpr int kInterruptedExitCode = 130;  // what shells expect after SIGINT

// Becomes true when the process gets SIGINT, SIGTERM or SIGHUP. The first call takes these signals over; from
// then on whoever called must end soon after the flag is set. Any thread.
const std::atomic<bool>& interrupted();

// Clears the flag after SIGINT, so that a program which stopped one answer can go on. False when another of these
// signals came: the process must end.
bool forget_interruption();

}  // namespace fathom::apps
