#include "runtime/memory_actions.hpp"

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "emulator/arena.hpp"
#include "runtime/whole_access.hpp"

namespace cpbench::vgpu {
namespace {

template <typename Visitor>
void for_each_row(const Extent3& extent, Visitor&& visit) {
  for (std::size_t z = 0; z < extent.depth; ++z) {
    for (std::size_t y = 0; y < extent.height; ++y) visit(y, z);
  }
}
std::byte* row_of(const Box3& box, std::size_t y, std::size_t z) {
  return box.data + z * box.slice_pitch + y * box.row_pitch;
}

class Copy : public Action {
 public:
  Copy(const Box3& to, const Box3& from, const Extent3& extent) : to_(to), from_(from), extent_(extent) {
    if (is_known_memory(from.data)) return;
    staged_.resize(extent.width * extent.height * extent.depth);
    from_ = {staged_.data(), extent.width, extent.width * extent.height};
    for_each_row(extent, [&](std::size_t y, std::size_t z) {
      std::memcpy(row_of(from_, y, z), row_of(from, y, z), extent.width);
    });
  }
  void begin(const Operation& operation) override {
    global_shadow().begin(operation);
    for_each_row(extent_, [&](std::size_t y, std::size_t z) {
      std::byte *const to = row_of(to_, y, z), *const from = row_of(from_, y, z);
      if (is_known_memory(from)) note_read(from, extent_.width);
      if (is_known_memory(to)) note_write(to, extent_.width);
      std::memmove(to, from, extent_.width);
    });
  }
  std::string describe() const override {
    return fmt::format("a copy of {} bytes", extent_.width * extent_.height * extent_.depth);
  }

 private:
  Box3 to_, from_;
  Extent3 extent_;
  std::vector<std::byte> staged_;
};

class Fill : public Action {
 public:
  Fill(const Box3& to, int value, const Extent3& extent) : to_(to), value_(value), extent_(extent) {}
  void begin(const Operation& operation) override {
    global_shadow().begin(operation);
    for_each_row(extent_, [&](std::size_t y, std::size_t z) {
      std::byte* const to = row_of(to_, y, z);
      note_write(to, extent_.width);
      std::memset(to, value_, extent_.width);
    });
  }
  std::string describe() const override {
    return fmt::format("a fill of {} bytes", extent_.width * extent_.height * extent_.depth);
  }

 private:
  Box3 to_;
  int value_;
  Extent3 extent_;
};

class HostCall : public Action {
 public:
  HostCall(void (*function)(void*), void* data) : function_(function), data_(data) {}
  void begin(const Operation&) override { function_(data_); }
  std::string describe() const override { return "a host function"; }

 private:
  void (*function_)(void*);
  void* data_;
};

}  // namespace

bool is_known_memory(const void* pointer) { return kGlobalMemory.contains(reinterpret_cast<std::uintptr_t>(pointer)); }

std::shared_ptr<Action> make_copy(const Box3& to, const Box3& from, const Extent3& extent) {
  return std::make_shared<Copy>(to, from, extent);
}
std::shared_ptr<Action> make_fill(const Box3& to, int value, const Extent3& extent) {
  return std::make_shared<Fill>(to, value, extent);
}
std::shared_ptr<Action> make_host_call(void (*function)(void*), void* data) {
  return std::make_shared<HostCall>(function, data);
}

}  // namespace cpbench::vgpu
