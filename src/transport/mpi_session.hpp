// MPI's lifetime, its errors, and leaving in a hurry.
#pragma once

#include <string>

#include "support/error.hpp"

namespace cpbench {

/// Initialises MPI for one thread that communicates (MPI_THREAD_FUNNELED) and finalises it. MPI's errors are returned
/// to the caller instead of ending the job. Leave by `abort_job` while other ranks may still wait for this one:
/// finalising would wait for them.
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

/// Throws Error(kDevice) with MPI's own text unless `code` is MPI_SUCCESS. `call` is the function's name.
void check_mpi(int code, const char* call);

/// True between initialisation and finalisation: handles may be freed.
bool mpi_is_active();

/// The MPI library's name and version, on one line.
std::string mpi_library_version();

/// Ends all ranks of the job. MPI_Abort itself can hang where a node is sick, so it gets ten seconds; after that this
/// process leaves alone.
[[noreturn]] void abort_job(ExitCode code);

}  // namespace cpbench
