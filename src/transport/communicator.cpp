#include "transport/communicator.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>

#include "transport/backoff.hpp"
#include "transport/mpi_datatype.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

MPI_Datatype mpi_type(double) { return MPI_DOUBLE; }
MPI_Datatype mpi_type(int) { return MPI_INT; }
MPI_Datatype mpi_type(std::int64_t) { return MPI_INT64_T; }

/// Completes what `started` has. A blocking collective may burn the core that a late rank needs: with several ranks to
/// a core MPICH takes a time slice for each of its messages.
void wait(int started, MPI_Request& request, const char* call) {
  check_mpi(started, call);
  int done = 0;
  for (Backoff backoff;; backoff.pause()) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), call);
    if (done != 0) return;
  }
}

/// Where each rank's part begins, and after the last the total.
std::vector<int> offsets_of(const std::vector<int>& counts) {
  std::vector<int> offsets(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), offsets.begin() + 1);
  return offsets;
}

}  // namespace

Communicator::Communicator(MPI_Comm handle, bool owned) : handle_(handle), owned_(owned) {
  check_mpi(MPI_Comm_rank(handle_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle_, &size_), "MPI_Comm_size");
}

Communicator::~Communicator() { free(); }

Communicator::Communicator(Communicator&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_COMM_NULL)),
      owned_(std::exchange(other.owned_, false)),
      rank_(other.rank_),
      size_(other.size_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  if (this == &other) return *this;
  free();
  handle_ = std::exchange(other.handle_, MPI_COMM_NULL);
  owned_ = std::exchange(other.owned_, false);
  rank_ = other.rank_;
  size_ = other.size_;
  return *this;
}

void Communicator::free() {
  if (owned_ && mpi_is_active()) MPI_Comm_free(&handle_);
}

Communicator Communicator::world() { return {MPI_COMM_WORLD, false}; }

int Communicator::require_tag(std::int64_t tag) const {
  constexpr int kPromised = 32767;  // by the standard
  int* largest = nullptr;
  int found = 0;
  check_mpi(MPI_Comm_get_attr(handle_, MPI_TAG_UB, &largest, &found), "MPI_Comm_get_attr");
  const int limit = found != 0 ? *largest : kPromised;
  if (tag <= limit) return static_cast<int>(tag);
  throw Error(ExitCode::kDevice, fmt::format("message tag {} exceeds this MPI's largest, {}", tag, limit));
}

Communicator Communicator::duplicate() const {
  MPI_Comm handle = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(handle_, &handle), "MPI_Comm_dup");
  return {handle, true};
}

std::optional<Communicator> Communicator::first(int count) const {
  MPI_Comm handle = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(handle_, rank_ < count ? 0 : MPI_UNDEFINED, rank_, &handle), "MPI_Comm_split");
  if (handle == MPI_COMM_NULL) return std::nullopt;
  return Communicator(handle, true);
}

Communicator Communicator::split(int color) const {
  MPI_Comm handle = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(handle_, color, rank_, &handle), "MPI_Comm_split");
  return {handle, true};
}

Communicator Communicator::node() const {
  MPI_Comm handle = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(handle_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &handle), "MPI_Comm_split_type");
  return {handle, true};
}

void Communicator::barrier() const {
  MPI_Request request = MPI_REQUEST_NULL;
  wait(MPI_Ibarrier(handle_, &request), request, "MPI_Ibarrier");
  // Once all are here the blocking one is short and lines them up, if each has a core to leave it on.
  if (Backoff::cores_suffice()) check_mpi(MPI_Barrier(handle_), "MPI_Barrier");
}

template <typename T>
T Communicator::reduce(T value, MPI_Op operation) const {
  T result{};
  MPI_Request request = MPI_REQUEST_NULL;
  wait(MPI_Iallreduce(&value, &result, 1, mpi_type(value), operation, handle_, &request), request, "MPI_Iallreduce");
  return result;
}

template <typename T>
T Communicator::max_over_ranks(T value) const {
  return reduce(value, MPI_MAX);
}
template <typename T>
T Communicator::min_over_ranks(T value) const {
  return reduce(value, MPI_MIN);
}
template <typename T>
T Communicator::sum_over_ranks(T value) const {
  return reduce(value, MPI_SUM);
}

template double Communicator::max_over_ranks(double) const;
template double Communicator::min_over_ranks(double) const;
template double Communicator::sum_over_ranks(double) const;
template int Communicator::max_over_ranks(int) const;
template int Communicator::min_over_ranks(int) const;
template int Communicator::sum_over_ranks(int) const;
template std::int64_t Communicator::max_over_ranks(std::int64_t) const;
template std::int64_t Communicator::min_over_ranks(std::int64_t) const;
template std::int64_t Communicator::sum_over_ranks(std::int64_t) const;

void Communicator::sum(std::span<double> values) const {
  const auto ranks = static_cast<std::size_t>(size_), share = (values.size() + ranks - 1) / ranks;
  const int count = to_count(share);
  std::vector<double> all(values.begin(), values.end()), parts(ranks * share), sums(share);
  all.resize(ranks * share);
  MPI_Request request = MPI_REQUEST_NULL;
  wait(MPI_Ialltoall(all.data(), count, MPI_DOUBLE, parts.data(), count, MPI_DOUBLE, handle_, &request), request,
       "MPI_Ialltoall");
  // Each rank adds up its share of the elements.
  std::copy_n(parts.begin(), share, sums.begin());
  for (auto part = parts.begin() + count; part != parts.end(); part += count)
    std::transform(sums.begin(), sums.end(), part, sums.begin(), std::plus<>());
  wait(MPI_Iallgather(sums.data(), count, MPI_DOUBLE, all.data(), count, MPI_DOUBLE, handle_, &request), request,
       "MPI_Iallgather");
  std::copy_n(all.begin(), values.size(), values.begin());
}

void Communicator::max(std::span<double> values) const {
  MPI_Request request = MPI_REQUEST_NULL;
  wait(MPI_Iallreduce(MPI_IN_PLACE, values.data(), to_count(values.size()), MPI_DOUBLE, MPI_MAX, handle_, &request),
       request, "MPI_Iallreduce");
}

std::vector<std::string> Communicator::gather(const std::string& text, std::int64_t at_once) const {
  const std::int64_t share = std::max<std::int64_t>(1, at_once / size_);
  const std::int64_t longest = max_over_ranks(static_cast<std::int64_t>(text.size()));
  std::vector<std::string> texts(rank_ == 0 ? static_cast<std::size_t>(size_) : 0);
  for (std::int64_t begin = 0; begin < longest; begin += share) {
    const std::string_view all = text;
    const std::string_view part =
        all.substr(std::min(static_cast<std::size_t>(begin), all.size()), static_cast<std::size_t>(share));
    const std::vector<std::string> parts = gather_parts(part);
    for (std::size_t r = 0; r < texts.size(); ++r) texts[r] += parts[r];
  }
  return texts;
}

std::vector<std::string> Communicator::gather_parts(std::string_view part) const {
  const int length = to_count(part.size());
  std::vector<int> lengths(static_cast<std::size_t>(size_), 0);
  MPI_Request request = MPI_REQUEST_NULL;
  wait(MPI_Igather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, handle_, &request), request, "MPI_Igather");
  const std::vector<int> offsets = offsets_of(lengths);
  std::string all(static_cast<std::size_t>(offsets.back()), '\0');
  wait(MPI_Igatherv(part.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(), MPI_CHAR, 0, handle_,
                    &request),
       request, "MPI_Igatherv");
  std::vector<std::string> parts;
  for (std::size_t r = 0; rank_ == 0 && r < lengths.size(); ++r) {
    parts.push_back(all.substr(static_cast<std::size_t>(offsets[r]), static_cast<std::size_t>(lengths[r])));
  }
  return parts;
}

std::string Communicator::first_nonempty(const std::string& text) const {
  const std::vector<std::string> all = gather(text);
  const auto found = std::ranges::find_if(all, [](const std::string& one) { return !one.empty(); });
  return broadcast(found == all.end() ? "" : *found);
}

std::string Communicator::broadcast(const std::string& text) const {
  int length = to_count(text.size());
  MPI_Request request = MPI_REQUEST_NULL;
  wait(MPI_Ibcast(&length, 1, MPI_INT, 0, handle_, &request), request, "MPI_Ibcast");
  std::string result = text;
  result.resize(static_cast<std::size_t>(length));
  wait(MPI_Ibcast(result.data(), length, MPI_CHAR, 0, handle_, &request), request, "MPI_Ibcast");
  return result;
}

void Communicator::allgather_elements(const void* mine, const std::vector<int>& counts, std::size_t element_bytes,
                                      void* all) const {
  const std::vector<int> offsets = offsets_of(counts);
  MPI_Datatype handle = MPI_DATATYPE_NULL;
  check_mpi(MPI_Type_contiguous(static_cast<int>(element_bytes), MPI_BYTE, &handle), "MPI_Type_contiguous");
  check_mpi(MPI_Type_commit(&handle), "MPI_Type_commit");
  const Datatype element(handle);
  MPI_Request request = MPI_REQUEST_NULL;
  wait(MPI_Iallgatherv(mine, counts[static_cast<std::size_t>(rank_)], element.handle(), all, counts.data(),
                       offsets.data(), element.handle(), handle_, &request),
       request, "MPI_Iallgatherv");
}

}  // namespace cpbench
