// A GPU goes on while its host waits for other processes. Here it goes on when the host looks: the calls of MPI in
// which a host waits let queued operations make progress. (MPI's profiling interface: each is followed by its PMPI
// twin.)
#include <mpi.h>

#include "runtime/engine.hpp"

namespace {

void progress() { cpbench::vgpu::engine().progress(); }

/// Waits for a request in turns with the device.
int wait(MPI_Request* request, MPI_Status* status) {
  for (;;) {
    int done = 0;
    progress();
    const int result = PMPI_Test(request, &done, status);
    if (result != MPI_SUCCESS || done != 0) return result;
  }
}

}  // namespace

extern "C" {
int MPI_Test(MPI_Request* request, int* done, MPI_Status* status) {
  progress();
  return PMPI_Test(request, done, status);
}
int MPI_Testall(int count, MPI_Request* requests, int* done, MPI_Status* statuses) {
  progress();
  return PMPI_Testall(count, requests, done, statuses);
}
int MPI_Testsome(int count, MPI_Request* requests, int* done, int* indices, MPI_Status* statuses) {
  progress();
  return PMPI_Testsome(count, requests, done, indices, statuses);
}
int MPI_Wait(MPI_Request* request, MPI_Status* status) { return wait(request, status); }
int MPI_Waitall(int count, MPI_Request* requests, MPI_Status* statuses) {
  for (;;) {
    int done = 0;
    progress();
    const int result = PMPI_Testall(count, requests, &done, statuses);
    if (result != MPI_SUCCESS || done != 0) return result;
  }
}
int MPI_Recv(void* data, int count, MPI_Datatype type, int source, int tag, MPI_Comm communicator, MPI_Status* status) {
  MPI_Request request;
  const int result = PMPI_Irecv(data, count, type, source, tag, communicator, &request);
  return result != MPI_SUCCESS ? result : wait(&request, status);
}
int MPI_Send(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm communicator) {
  MPI_Request request;
  const int result = PMPI_Isend(data, count, type, to, tag, communicator, &request);
  return result != MPI_SUCCESS ? result : wait(&request, MPI_STATUS_IGNORE);
}
int MPI_Barrier(MPI_Comm communicator) {
  MPI_Request request;
  const int result = PMPI_Ibarrier(communicator, &request);
  return result != MPI_SUCCESS ? result : wait(&request, MPI_STATUS_IGNORE);
}
}
