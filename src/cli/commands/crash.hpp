// What a process that crashes leaves behind.
#pragma once

namespace cpbench {

/// From here on to its end, this process says on stderr, in a line, with which of SIGSEGV, SIGBUS, SIGFPE, SIGILL and
/// SIGABRT it crashed, on which rank and host, and what it was doing; rank 0 then records what was in flight, as for
/// other ends (watchdog.hpp). After that the signal does what it did before: what MPI installed is called, and a core
/// is dumped where that is allowed. Call it after MPI's initialisation, on the thread that runs commands.
void report_crashes(int rank);

}  // namespace cpbench
