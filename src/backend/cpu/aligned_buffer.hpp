// Scratch memory of the kernels: kept from call to call, so that its pages are there already.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace cpbench {

/// Floats, aligned to a page; what they hold is lost when more are asked for. Rows of a block never straddle a cache
/// line that another buffer uses.
class AlignedBuffer {
 public:
  /// At least `count` floats.
  float* reserve(std::int64_t count) {
    if (count > capacity_) {
      constexpr std::size_t kHugePage = std::size_t{2} << 20;
      constexpr std::size_t kWorthOne = kHugePage / 4;  // more small pages than the first-level TLB has entries
      const std::size_t wanted = static_cast<std::size_t>(count) * sizeof(float);
      const std::size_t alignment = wanted >= kWorthOne ? kHugePage : 4096;
      const std::size_t bytes = (wanted + alignment - 1) / alignment * alignment;
      capacity_ = 0;  // where there is no memory
      data_.reset(static_cast<float*>(std::aligned_alloc(alignment, bytes)));
      if (data_ == nullptr) throw std::bad_alloc();
      if (alignment == kHugePage) madvise(data_.get(), bytes, MADV_HUGEPAGE);
      capacity_ = static_cast<std::int64_t>(bytes / sizeof(float));
    }
    return data_.get();
  }
  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
  std::int64_t capacity_ = 0;
};

/// Hands out parts of one block, each aligned to a cache line.
class Arena {
 public:
  explicit Arena(float* begin) : next_(begin) {}
  float* take(std::int64_t count) {
    float* part = next_;
    next_ += padded(count);
    return part;
  }
  static std::int64_t padded(std::int64_t count) { return (count + 15) / 16 * 16; }

 private:
  float* next_;
};

}  // namespace cpbench
