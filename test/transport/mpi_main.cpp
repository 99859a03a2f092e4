// main of tests that run as several MPI ranks: every rank runs every test, rank 0 reports, and others speak up where
// they fail.
#include <gtest/gtest.h>

#include <cstdio>

#include "transport/communicator.hpp"
#include "transport/mpi_session.hpp"

namespace {

class FailuresOnly : public testing::EmptyTestEventListener {
 public:
  explicit FailuresOnly(int rank) : rank_(rank) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "rank %d: %s:%d: %s\n", rank_, result.file_name(), result.line_number(), result.message());
  }

 private:
  int rank_;
};

}  // namespace

int main(int argc, char** argv) {
  const cpbench::MpiSession session(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  const auto world = cpbench::Communicator::world();
  if (world.rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOnly(world.rank()));
  }
  return world.max_over_ranks(RUN_ALL_TESTS());
}
