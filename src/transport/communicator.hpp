// A group of ranks and the few collective operations that the driver needs. Measured traffic goes through Transport.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/collective.hpp"

namespace cpbench {

/// An MPI communicator that is freed with the object. Every function but rank(), size(), handle() and require_tag() is
/// collective: all ranks must call it. Errors of MPI are thrown as Error(kDevice).
class Communicator : public Collective {
 public:
  /// All ranks of the job.
  static Communicator world();
  ~Communicator() override;
  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&& other) noexcept;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  MPI_Comm handle() const { return handle_; }
  /// `tag`, which a message over handle() is to have. Throws where this MPI takes none so large.
  int require_tag(std::int64_t tag) const;

  /// The same ranks with a space of tags of their own.
  Communicator duplicate() const;
  /// The first `count` ranks; nothing on the others.
  std::optional<Communicator> first(int count) const;
  /// The ranks that say the same `color` >= 0, in order.
  Communicator split(int color) const;
  /// The ranks of this node, in order: its rank() is the local rank.
  Communicator node() const;

  /// Returns when all have come, on all at nearly the same time. Those who wait leave their core to others.
  void barrier() const;

  /// For double, int and std::int64_t.
  template <typename T>
  T max_over_ranks(T value) const;
  template <typename T>
  T min_over_ranks(T value) const;
  template <typename T>
  T sum_over_ranks(T value) const;
  void sum(std::span<double> values) const override;
  void max(std::span<double> values) const override;

  /// Everybody's text by rank, on rank 0; empty elsewhere. Texts have any length: `at_once` bytes of all of them, or
  /// one of each, are moved at a time.
  std::vector<std::string> gather(const std::string& text, std::int64_t at_once = std::int64_t{256} << 20) const;
  /// The text of the lowest rank whose text is not empty, on all of them; empty where all are.
  std::string first_nonempty(const std::string& text) const;
  /// Rank 0's text.
  std::string broadcast(const std::string& text) const;

 private:
  Communicator(MPI_Comm handle, bool owned);
  /// Of texts that MPI can count together.
  std::vector<std::string> gather_parts(std::string_view part) const;
  void free();
  void allgather_elements(const void* mine, const std::vector<int>& counts, std::size_t element_bytes,
                          void* all) const override;
  template <typename T>
  T reduce(T value, MPI_Op operation) const;

  MPI_Comm handle_ = MPI_COMM_NULL;
  bool owned_ = false;
  int rank_ = 0, size_ = 0;
};

}  // namespace cpbench
