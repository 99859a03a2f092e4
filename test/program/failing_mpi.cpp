// An MPI library that has no threads where CPBENCH_TEST_MPI_FAILS is MPI_Init_thread, or whose call of that name fails;
// where it is `hang`, initialising never ends, and a line on stdout says that it has begun.
// (MPI's profiling interface: each is followed by its PMPI twin.)
#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

bool fails(std::string_view call) {
  const char* const failing = std::getenv("CPBENCH_TEST_MPI_FAILS");
  return failing != nullptr && call == failing;
}

}  // namespace

extern "C" {
int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
  if (fails("hang")) {
    std::puts("initialising");
    std::fflush(stdout);
    for (;;) pause();
  }
  const int result = PMPI_Init_thread(argc, argv, required, provided);
  if (fails("MPI_Init_thread")) *provided = MPI_THREAD_SINGLE;
  return result;
}
int MPI_Comm_size(MPI_Comm communicator, int* size) {
  return fails("MPI_Comm_size") ? MPI_ERR_INTERN : PMPI_Comm_size(communicator, size);
}
}
