#include "backend/cpu/pack.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#include "backend/cpu/microkernels.hpp"

namespace cpbench {
namespace {

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

/// The rows of a head as arrays of T; those that are left out and those beyond the end are zero.
template <typename T>
class Rows {
 public:
  explicit Rows(const HeadRows& rows) : rows_(rows) {}
  const T* operator[](std::int64_t row) const {
    alignas(16) static constexpr float kZeros[kMaxPackedDim] = {};
    if (row < rows_.left_out || row >= rows_.count) return reinterpret_cast<const T*>(kZeros);
    return reinterpret_cast<const T*>(rows_.tensor.at<const Element<T>>(rows_.b, rows_.row_begin + row, rows_.head));
  }

 private:
  const HeadRows& rows_;
};

constexpr int kRowsAhead = 16;

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

/// Four words of four rows become four rows of a word each.
struct FourByFour {
  Float4 rows[4];
  FourByFour(Float4 a, Float4 b, Float4 c, Float4 d) {
    const Float4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Float4 ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    rows[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    rows[1] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    rows[2] = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    rows[3] = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
  }
  void store(float* to, std::int64_t stride) const {
    for (int i = 0; i < 4; ++i) cpbench::store(rows[i], to + i * stride);
  }
};

template <typename T>
Float4 scaled_words(const T* row, std::int64_t k, float factor) {
  if constexpr (std::is_same_v<T, Bf16Pair>) return words_at(row, k);
  return words_at(row, k) * factor;
}

/// One row tile or panel of columns, of an even number of rows: to[k * width + r] = row r, word k.
template <typename T>
void pack_tile(const Rows<T>& rows, std::int64_t row0, std::int64_t words, int width, float factor, float* to) {
  int r = 0;
  for (; r + 4 <= width; r += 4) {
    const T* row[] = {rows[row0 + r], rows[row0 + r + 1], rows[row0 + r + 2], rows[row0 + r + 3]};
    const RowsAhead<T, 4> ahead(rows, row0 + r);
    for (std::int64_t k = 0; k < words; k += 4) {
      ahead.ask(k / 4);
      FourByFour(scaled_words(row[0], k, factor), scaled_words(row[1], k, factor), scaled_words(row[2], k, factor),
                 scaled_words(row[3], k, factor))
          .store(to + k * width + r, width);
    }
  }
  for (; r < width; r += 2) {
    const T *even = rows[row0 + r], *odd = rows[row0 + r + 1];
    const RowsAhead<T, 2> ahead(rows, row0 + r);
    for (std::int64_t k = 0; k < words; k += 4) {
      ahead.ask(k / 4);
      const Float4 a = scaled_words(even, k, factor), b = scaled_words(odd, k, factor);
      store(Float2(__builtin_shufflevector(a, b, 0, 4)), to + (k + 0) * width + r);
      store(Float2(__builtin_shufflevector(a, b, 1, 5)), to + (k + 1) * width + r);
      store(Float2(__builtin_shufflevector(a, b, 2, 6)), to + (k + 2) * width + r);
      store(Float2(__builtin_shufflevector(a, b, 3, 7)), to + (k + 3) * width + r);
    }
  }
}

/// One row as it is.
template <typename T>
void copy_row(const Rows<T>& rows, std::int64_t row, std::int64_t words, float factor, float* to) {
  const T* from = rows[row];
  const RowsAhead<T, 1> ahead(rows, row);
  for (std::int64_t k = 0; k < words; k += 4) {
    if (k % kLineWords == 0) ahead.ask(k / kLineWords);
    store(scaled_words(from, k, factor), to + k);
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
/// Four words along the rows, from dim i on: the elements of two rows in turn.
Float4 row_pairs_at(const bf16* even, const bf16* odd, std::int64_t i) {
  const auto a = load<Half4>(even + i), b = load<Half4>(odd + i);
  return Float4(__builtin_shufflevector(a, b, 0, 4, 1, 5, 2, 6, 3, 7));
}
/// One row of words along the rows, where a word is a pair.
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
/// Four words of each dim, where words are pairs of rows: those of dim i at to_dim(i), those of i + 1 `stride` later.
template <typename ToDim>
void pack_row_pairs_of_dims(const Rows<bf16>& rows, std::int64_t word, std::int64_t dim, std::int64_t stride,
                            ToDim&& to_dim) {
  constexpr int kRows = 8;
  const bf16* row[kRows];
  for (int r = 0; r < kRows; ++r) row[r] = rows[2 * word + r];
  const RowsAhead<bf16, kRows> ahead(rows, 2 * word);
  const auto pairs = [&](int pair, std::int64_t i) { return row_pairs_at(row[2 * pair], row[2 * pair + 1], i); };
  for (std::int64_t i = 0; i < dim; i += 4) {
    ahead.ask(i / 4);
    FourByFour(pairs(0, i), pairs(1, i), pairs(2, i), pairs(3, i)).store(to_dim(i), stride);
  }
}

/// Where a word of A stands, packed for a matrix unit.
std::int64_t matrix_word(std::int64_t row, std::int64_t word, std::int64_t depth) {
  const std::int64_t step = row / kMatrixTile * (depth / kMatrixWords) + word / kMatrixWords;
  return (step * kMatrixTile + row % kMatrixTile) * kMatrixWords + word % kMatrixWords;
}

void check(const TensorView& tensor, bool pairs) {
  if (tensor.dim % 8 != 0 || tensor.dim > kMaxPackedDim || (pairs && tensor.dtype != DType::kBf16)) {
    throw std::logic_error("pack: unsupported tensor");
  }
}

}  // namespace

void pack_columns(const HeadRows& rows, std::int64_t padded_rows, int width, std::int64_t depth, bool pairs,
                  float factor, float* to) {
  check(rows.tensor, pairs);
  const auto pack = [&]<typename T>(T, std::int64_t words) {
    const Rows<T> source(rows);
    for (std::int64_t row = 0; row < padded_rows; row += width) {
      float* tile = to + row * depth;
      if (width == 1) {
        copy_row(source, row, words, factor, tile);
      } else {
        pack_tile(source, row, words, width, factor, tile);
      }
      std::fill(tile + words * width, tile + depth * width, 0.0f);
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
    if (panel == 1) {
      for (std::int64_t word = 0; word < row_words; word += 4) {
        pack_row_pairs_of_dims(source, word, dim, row_words, [=](std::int64_t i) { return to + i * row_words + word; });
      }
      return;
    }
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

void pack_matrix_rows(const HeadRows& rows, std::int64_t padded_rows, std::int64_t depth, float* to) {
  check(rows.tensor, true);
  const Rows<Bf16Pair> source(rows);
  const std::int64_t words = rows.tensor.dim / 2;
  for (std::int64_t row = 0; row < padded_rows; ++row) {
    const Bf16Pair* from = source[row];
    const RowsAhead<Bf16Pair, 1> ahead(source, row);
    for (std::int64_t k = 0; k < depth; k += 4) {
      if (k % kLineWords == 0) ahead.ask(k / kLineWords);
      store(k < words ? words_at(from, k) : Float4{}, to + matrix_word(row, k, depth));
    }
  }
}

void pack_matrix_dims(const HeadRows& rows, std::int64_t padded_rows, float* to) {
  check(rows.tensor, true);
  const Rows<bf16> source(rows);
  const std::int64_t row_words = padded_rows / 2;
  for (std::int64_t word = 0; word < row_words; word += 4) {
    pack_row_pairs_of_dims(source, word, rows.tensor.dim, kMatrixWords,
                           [=](std::int64_t i) { return to + matrix_word(i, word, row_words); });
  }
}

void transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, float* to,
               std::int64_t to_stride) {
  for (std::int64_t j = 0; j < rows; j += 4) {
    const float* row = from + j * from_stride;
    for (std::int64_t i = 0; i < columns; i += 4) {
      const auto words = [&](int r) { return load<Float4>(row + r * from_stride + i); };
      FourByFour(words(0), words(1), words(2), words(3)).store(to + i * to_stride + j, to_stride);
    }
  }
}

}  // namespace cpbench
