#include "backend/cpu/pack.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>

namespace cpbench {
namespace {

constexpr int kMaxDim = 256;

// Vectors of the compiler: 128 bits are enough for copying, and every instruction set has them.
typedef float Float2 __attribute__((vector_size(8)));
typedef float Float4 __attribute__((vector_size(16)));
typedef std::uint32_t Word4 __attribute__((vector_size(16)));
typedef std::uint16_t Half4 __attribute__((vector_size(8)));
typedef std::uint16_t Half8 __attribute__((vector_size(16)));

template <typename Vector>
Vector load(const void* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
template <typename Vector>
void store(const Vector& v, void* to) {
  std::memcpy(to, &v, sizeof v);
}

/// A pair of bf16 that are neighbours in memory: copied, not computed with.
struct Bf16Pair {
  bf16 elements[2];
};

// Four words of a row, from word k on.
Float4 words_at(const Bf16Pair* row, std::int64_t k) { return load<Float4>(row + k); }
Float4 words_at(const float* row, std::int64_t k) { return load<Float4>(row + k); }
Float4 words_at(const bf16* row, std::int64_t k) {
  return Float4(__builtin_convertvector(load<Half4>(row + k), Word4) << 16);
}
Float4 words_at(const fp16* row, std::int64_t k) {
  const Word4 half = __builtin_convertvector(load<Half4>(row + k), Word4);
  const Word4 magnitude = (half & 0x7fffu) << 13, sign = (half & 0x8000u) << 16;
  const Float4 scaled = Float4(magnitude) * 0x1p112f;                   // exact, subnormals included
  const Word4 special = Word4(magnitude >= 0x0f800000u) & 0x7f800000u;  // infinity and NaN: all ones
  return Float4(Word4(scaled) | special | sign);
}

/// What a tensor stores whose rows are read as arrays of T.
template <typename T>
using Element = std::conditional_t<std::is_same_v<T, Bf16Pair>, bf16, T>;

/// The rows of a head as arrays of T; those beyond the end are zero.
template <typename T>
class Rows {
 public:
  explicit Rows(const HeadRows& rows) : rows_(rows) {}
  const T* operator[](std::int64_t row) const {
    alignas(16) static constexpr float kZeros[kMaxDim] = {};
    if (row >= rows_.count) return reinterpret_cast<const T*>(kZeros);
    return reinterpret_cast<const T*>(rows_.tensor.at<const Element<T>>(rows_.b, rows_.row_begin + row, rows_.head));
  }

 private:
  const HeadRows& rows_;
};

constexpr int kRowsAhead = 16;
constexpr std::int64_t kLineBytes = 64;

/// Asks the memory for rows that are packed soon: few rows at a time are read, and each line would be waited for. One
/// line a step, as many at once would wait for one another.
template <typename T, int kRows>
class RowsAhead {
 public:
  RowsAhead(const Rows<T>& rows, std::int64_t row) {
    for (int r = 0; r < kRows; ++r) next_[r] = reinterpret_cast<const std::byte*>(rows[row + kRowsAhead + r]);
  }
  /// Every call takes a row in turn, and its lines one after the other.
  void ask(std::int64_t step) const { __builtin_prefetch(next_[step % kRows] + step / kRows * kLineBytes); }

 private:
  const std::byte* next_[kRows];
};

/// One row tile or panel of columns, of an even number of rows: to[k * width + r] = row r, word k.
template <typename T>
void pack_tile(const Rows<T>& rows, std::int64_t row0, std::int64_t words, int width, float factor, float* to) {
  const auto scaled = [&](const T* row, std::int64_t k) {
    if constexpr (std::is_same_v<T, Bf16Pair>) return words_at(row, k);
    return words_at(row, k) * factor;
  };
  int r = 0;
  for (; r + 4 <= width; r += 4) {
    const T* row[] = {rows[row0 + r], rows[row0 + r + 1], rows[row0 + r + 2], rows[row0 + r + 3]};
    const RowsAhead<T, 4> ahead(rows, row0 + r);
    for (std::int64_t k = 0; k < words; k += 4) {
      ahead.ask(k / 4);
      const Float4 a = scaled(row[0], k), b = scaled(row[1], k), c = scaled(row[2], k), d = scaled(row[3], k);
      const Float4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      const Float4 ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      store(Float4(__builtin_shufflevector(ab, cd, 0, 1, 4, 5)), to + (k + 0) * width + r);
      store(Float4(__builtin_shufflevector(ab, cd, 2, 3, 6, 7)), to + (k + 1) * width + r);
      store(Float4(__builtin_shufflevector(ab2, cd2, 0, 1, 4, 5)), to + (k + 2) * width + r);
      store(Float4(__builtin_shufflevector(ab2, cd2, 2, 3, 6, 7)), to + (k + 3) * width + r);
    }
  }
  for (; r < width; r += 2) {
    const T *even = rows[row0 + r], *odd = rows[row0 + r + 1];
    const RowsAhead<T, 2> ahead(rows, row0 + r);
    for (std::int64_t k = 0; k < words; k += 4) {
      ahead.ask(k / 4);
      const Float4 a = scaled(even, k), b = scaled(odd, k);
      store(Float2(__builtin_shufflevector(a, b, 0, 4)), to + (k + 0) * width + r);
      store(Float2(__builtin_shufflevector(a, b, 1, 5)), to + (k + 1) * width + r);
      store(Float2(__builtin_shufflevector(a, b, 2, 6)), to + (k + 2) * width + r);
      store(Float2(__builtin_shufflevector(a, b, 3, 7)), to + (k + 3) * width + r);
    }
  }
}

/// All lines of a row at once.
template <typename T>
void ask_for(const T* row, std::int64_t words) {
  constexpr std::int64_t kLine = kLineBytes / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t k = 0; k < words; k += kLine) __builtin_prefetch(row + k);
}

/// One row of words along the rows, where a word is an element.
template <typename T>
void pack_row(const T* row, std::int64_t dim, std::int64_t panel, std::int64_t panel_words, float* to) {
  for (std::int64_t begin = 0; begin < dim; begin += panel, to += panel_words) {
    const std::int64_t count = std::min(panel, dim - begin);
    for (std::int64_t i = 0; i < count; i += 4) store(words_at(row, begin + i), to + i);
  }
}
/// One row of words along the rows, where a word is a pair: the elements of two rows in turn.
void pack_row_pair(const bf16* even, const bf16* odd, std::int64_t dim, std::int64_t panel, std::int64_t panel_words,
                   float* to) {
  for (std::int64_t begin = 0; begin < dim; begin += panel, to += panel_words) {
    const std::int64_t count = std::min(panel, dim - begin);
    for (std::int64_t i = 0; i < count; i += 8) {
      const auto a = load<Half8>(even + begin + i), b = load<Half8>(odd + begin + i);
      store(Half8(__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)), to + i);
      store(Half8(__builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)), to + i + 4);
    }
  }
}

void check(const TensorView& tensor, bool pairs) {
  if (tensor.dim % 8 != 0 || tensor.dim > kMaxDim || (pairs && tensor.dtype != DType::kBf16)) {
    throw std::logic_error("pack: unsupported tensor");
  }
}

}  // namespace

void pack_columns(const HeadRows& rows, std::int64_t padded_rows, int width, bool pairs, float factor, float* to) {
  check(rows.tensor, pairs);
  const auto pack = [&]<typename T>(T, std::int64_t words) {
    for (std::int64_t row = 0; row < padded_rows; row += width) {
      pack_tile(Rows<T>(rows), row, words, width, factor, to + row * words);
    }
  };
  if (pairs) return pack(Bf16Pair{}, rows.tensor.dim / 2);
  with_type(rows.tensor.dtype, [&]<typename T>(T type) { pack(type, rows.tensor.dim); });
}

void pack_rows(const HeadRows& rows, std::int64_t padded_rows, int panel, bool pairs, float* to) {
  check(rows.tensor, pairs);
  const std::int64_t dim = rows.tensor.dim, row_words = padded_rows / (pairs ? 2 : 1), panel_words = row_words * panel;
  if (dim % panel != 0) {
    float* last = to + dim / panel * panel_words;
    std::fill(last, last + panel_words, 0.0f);
  }
  if (pairs) {
    const Rows<bf16> source(rows);
    for (std::int64_t row = 0; row < row_words; ++row) {
      for (const int odd : {0, 1}) ask_for(source[2 * row + odd + kRowsAhead], dim);
      pack_row_pair(source[2 * row], source[2 * row + 1], dim, panel, panel_words, to + row * panel);
    }
    return;
  }
  with_type(rows.tensor.dtype, [&]<typename T>(T) {
    const Rows<T> source(rows);
    for (std::int64_t row = 0; row < row_words; ++row) {
      ask_for(source[row + kRowsAhead], dim);
      pack_row(source[row], dim, panel, panel_words, to + row * panel);
    }
  });
}

}  // namespace cpbench
