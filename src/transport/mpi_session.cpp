#include "transport/mpi_session.hpp"

#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace cpbench {

MpiSession::MpiSession(int& argc, char**& argv) {
  int provided = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    throw Error(ExitCode::kDevice, "MPI_Init_thread failed; is this job started by the launcher of the same MPI?");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  if (provided < MPI_THREAD_FUNNELED) {
    throw Error(ExitCode::kDevice, "this MPI library supports no threads beside the one that communicates");
  }
}

MpiSession::~MpiSession() { MPI_Finalize(); }

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(ExitCode::kDevice, fmt::format("{}: {}", call, text.data()));
}

bool mpi_is_active() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized != 0 && finalized == 0;
}

std::string mpi_library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check_mpi(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  // Open MPI ends its name at a comma, MPICH lists its configuration line by line.
  std::string version = text.data();
  version.resize(std::min(version.find_first_of("\n,"), version.size()));
  for (char& c : version) c = c == '\t' ? ' ' : c;
  return version;
}

void abort_job(ExitCode code) {
  std::thread([code] {
    std::this_thread::sleep_for(std::chrono::seconds(10));
    _exit(static_cast<int>(code));
  }).detach();
  if (mpi_is_active()) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  _exit(static_cast<int>(code));
}

}  // namespace cpbench
