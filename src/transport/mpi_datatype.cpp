#include "transport/mpi_datatype.hpp"

#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "transport/mpi_session.hpp"
#include "transport/strided_box.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kMaxCount = std::numeric_limits<int>::max();

Datatype bytes(std::int64_t count) {
  MPI_Datatype handle = MPI_DATATYPE_NULL;
  check_mpi(MPI_Type_contiguous(static_cast<int>(count), MPI_BYTE, &handle), "MPI_Type_contiguous");
  return Datatype(handle);
}

Datatype block(std::int64_t size) {
  if (size <= kMaxCount) return bytes(size);
  constexpr std::int64_t kChunk = std::int64_t{1} << 24;
  const Datatype chunk = bytes(kChunk), remainder = bytes(size % kChunk);
  const std::array<int, 2> counts = {static_cast<int>(size / kChunk), 1};
  const std::array<MPI_Aint, 2> offsets = {0, static_cast<MPI_Aint>(size / kChunk * kChunk)};
  const std::array<MPI_Datatype, 2> types = {chunk.handle(), remainder.handle()};
  MPI_Datatype handle = MPI_DATATYPE_NULL;
  check_mpi(MPI_Type_create_struct(2, counts.data(), offsets.data(), types.data(), &handle), "MPI_Type_create_struct");
  return Datatype(handle);
}

Datatype repeat(const StridedBox::Axis& axis, const Datatype& element) {
  if (axis.count > kMaxCount) {
    throw Error(ExitCode::kDevice, fmt::format("a message of {} strided blocks: MPI counts to 2^31", axis.count));
  }
  MPI_Datatype handle = MPI_DATATYPE_NULL;
  check_mpi(MPI_Type_create_hvector(static_cast<int>(axis.count), 1, static_cast<MPI_Aint>(axis.stride_bytes),
                                    element.handle(), &handle),
            "MPI_Type_create_hvector");
  return Datatype(handle);
}

Datatype datatype_of(const StridedBox& box) {
  std::vector<Datatype> types;
  types.push_back(block(box.block_bytes));
  for (const StridedBox::Axis& axis : box.axes) types.push_back(repeat(axis, types.back()));
  return std::move(types.back());
}

Datatype committed_struct(const std::vector<StridedBox>& boxes) {
  std::vector<Datatype> types;
  std::vector<MPI_Datatype> handles;
  std::vector<MPI_Aint> addresses;
  for (const StridedBox& box : boxes) {
    types.push_back(datatype_of(box));
    handles.push_back(types.back().handle());
    check_mpi(MPI_Get_address(box.data, &addresses.emplace_back()), "MPI_Get_address");
  }
  const std::vector<int> ones(boxes.size(), 1);
  MPI_Datatype handle = MPI_DATATYPE_NULL;
  check_mpi(
      MPI_Type_create_struct(static_cast<int>(boxes.size()), ones.data(), addresses.data(), handles.data(), &handle),
      "MPI_Type_create_struct");
  Datatype type(handle);
  check_mpi(MPI_Type_commit(&handle), "MPI_Type_commit");
  return type;
}

}  // namespace

Datatype::~Datatype() {
  if (owned_ && mpi_is_active()) MPI_Type_free(&handle_);
}

Datatype::Datatype(Datatype&& other) noexcept : handle_(other.handle_), owned_(std::exchange(other.owned_, false)) {}

MpiBuffer describe(const Message& message) {
  const std::vector<StridedBox> boxes = strided_boxes(message.boxes);
  if (boxes.size() == 1 && boxes.front().contiguous() && boxes.front().block_bytes <= kMaxCount) {
    return {boxes.front().data, static_cast<int>(boxes.front().block_bytes), Datatype(MPI_BYTE, false)};
  }
  return {MPI_BOTTOM, 1, committed_struct(boxes)};
}

}  // namespace cpbench
