// The inner loops of the kernel `blocked`, one set per instruction set: everything that needs vector instructions.
//
// Operands are packed (pack.hpp) into 32-bit *words*: an fp32, or a pair of bf16 that are neighbours along the summed
// index, so that one multiply-add instruction takes a word of each operand in every lane. Below, [a][b] are words.
//
//   row tile   tile_rows rows of A: [depth][tile_rows], and [tile_rows][depth] for a matrix unit's backward pass
//   panel      `panel` columns of B, [depth][panel]; its registers are `panel / lanes` vectors
//   P, dS      a block of rows against a block of keys, [rows][kBlockStride], stored by a micro-kernel for the next
//
// A matrix unit (AMX) takes rows of A as they are, and multiplies tiles of 16 rows by 16 words by 16 columns. Columns
// of a block are no such rows: what others compute as P^T dO it computes transposed, dO^T P, with P as a panel. In the
// forward pass it computes everything transposed (MatrixUnit).
#pragma once

#include <cstdint>
#include <string_view>

#include "problem/dtype.hpp"

namespace cpbench {

/// The most words of a row of a block: whole tiles, and whole panels, of every instruction set.
inline constexpr int kBlockWords = 192;
/// A constant, so that rows are reached by displacements; not a power of two, so that rows do not share a cache set.
inline constexpr int kBlockStride = kBlockWords + 16;
/// Of a cache line.
inline constexpr int kLineWords = 16;
inline constexpr int kLineBytes = kLineWords * static_cast<int>(sizeof(float));
/// A score that exp2 makes 0 of and that still can be subtracted from.
inline constexpr float kMaskedScore = -1e30f;

/// Scores may exceed m by so much before m is raised: P stays below 2^10, or with a matrix unit, which looks at sums of
/// P, below 2^17. That is far from overflow, and its relative precision does not depend on its size.
inline constexpr float kRaiseAbove = 10;

/// Which keys the rows of a tile see: row r those in [r + begin, r + end) and [key_begin, key_end), if it lies in
/// [row_begin, row_end). Counted from the tile's first row and first key.
struct KeyLimits {
  int begin, end;
  int key_begin, key_end;
  int row_begin, row_end;
};

/// Words that will be needed soon: each step of a product asks the memory for those at `words`, then goes `step` on.
struct Ahead {
  const float* words;
  int step;

  /// Asks for nothing more: every step names `words` again.
  static constexpr Ahead nothing(const float* words) { return {words, 0}; }
};

/// Tiles of the forward pass: S = Q K^T, the online softmax, P. Scores are in units of log2. What is said of the tile
/// holds for the first; the others lie below it in the same block.
struct ScoresTile {
  int tiles;
  const float* q;     ///< row tile; in fp32 it holds scale * log2(e) * Q
  const float* k;     ///< panel, from the tile's first vector of keys on
  int depth;          ///< words of head_dim
  int vectors;        ///< of keys, 1 ... panel / lanes
  float score_scale;  ///< scale * log2(e) in bf16; not used in fp32
  bool masked;        ///< not every row sees every key
  KeyLimits limits;
  Ahead next;

  float* p;  ///< row 0 of the tile, first key of the block
  int key;   ///< first key of this tile in the block
  /// First key of the block for which the rows of the first tile have a P: those before `key` may be rescaled. Rows
  /// below may begin later, never earlier, as the band goes down with them.
  int key_begin;

  float* m;      ///< [tile_rows]: what scores are reduced by; 0 before a row has seen a key
  float* bound;  ///< [tile_rows]: m is raised where a reduced score is above; kRaiseAbove, or -inf before that
  float* l;      ///< [tile_rows][lanes]: sums of P, lane by lane
  float* o;      ///< [tile_rows][o_stride]: rescaled along with l
  std::int64_t o_stride;
  int o_count;  ///< a multiple of lanes
};

/// Tiles of the backward pass: S again, P = exp2(S), dP = dO V^T, dS = P * (dP - delta).
struct GradientTile {
  int tiles;           ///< as in ScoresTile
  const float *q, *k;  ///< as in ScoresTile
  const float *dout, *v;
  int depth, depth_v;
  int vectors;
  float score_scale;
  bool masked;
  KeyLimits limits;
  const float* lse;    ///< [tile_rows], times log2(e); +1e30 for rows that saw nothing
  const float* delta;  ///< [tile_rows]
  /// Row 0 of the tile, first key of the *tile*. In fp32 rows of keys. In bf16 a word holds two rows of one key.
  float *p, *ds;
  float* ds_keys;  ///< bf16: dS again, a word holding two keys of one row
};

/// C += A B for `vectors` vectors of columns and `tiles` times tile_rows rows of C.
struct Product {
  int tiles;
  const float* a;
  const float* b;
  int depth;  ///< words of the summed index
  int vectors;
  float* c;
  std::int64_t c_stride;
  Ahead next;
};

/// Rows and columns of a product of the forward pass on a matrix unit.
inline constexpr int kMatrixTile = 32;
/// Words of a row of A that are multiplied at a time. A is packed by so many: [depth / kMatrixWords][kMatrixTile rows]
/// [kMatrixWords], as rows of a whole line each, in the order of their use, come from the second-level cache.
inline constexpr int kMatrixWords = 16;

/// C [kMatrixTile][kMatrixTile] = A B, or += A B.
struct MatrixProduct {
  const float* a;
  const float* b;  ///< [depth][kMatrixTile]
  int depth;       ///< words of the summed index
  float* c;
  bool add;
};

/// kMatrixTile keys by as many queries: rows are keys, so that what belongs to a query stays in its lane.
struct MatrixScores {
  const float* scores;  ///< [key][query]
  float score_scale;    ///< scale * log2(e)
  bool masked;          ///< not every query sees every key
  KeyLimits limits;     ///< counted from the first query (there: row) and the first key
};

/// The forward pass of a matrix unit: S^T = K Q^T, P^T, O^T += V^T P^T.
struct MatrixUnit {
  /// Products that do not depend on one another.
  void (*multiply)(const MatrixProduct* products, int count);
  /// P^T = exp2(scores - m), a word holding two keys of one query, and its sums are added to l; m and l are [query].
  /// The matrix unit does the other products in the meantime.
  void (*probabilities)(const MatrixScores& scores, const float* m, float* l, float* p, const MatrixProduct* meanwhile,
                        int count);
  /// highest [query] = the maximum of itself and the scores, in units of log2.
  void (*highest)(const MatrixScores& scores, float* highest);
  /// rows [count][kMatrixTile] *= factors [kMatrixTile].
  void (*scale)(float* rows, int count, const float* factors);
};

/// For rows of tensors where they lie.
struct RowKernels {
  /// A row of fp32 that ends in a tensor: to[i] = factor * from[i], or with `add` to[i] += factor * from[i].
  void (*put)(const float* from, std::int64_t count, float factor, bool add, DType dtype, void* to);
  /// The sum of a[i] * b[i].
  float (*dot)(const void* a, const void* b, std::int64_t count, DType dtype);
};

/// Each call works on a column of tiles (those of `matrix_unit` do not): what is common to them is decided once,
/// outside.
struct Microkernels {
  std::string_view isa;
  bool bf16_pairs;                ///< words are pairs of bf16
  const MatrixUnit* matrix_unit;  ///< or null
  int lanes;                      ///< fp32 numbers in a vector
  int panel;                      ///< columns of a panel
  int tile_rows;                  ///< of a row tile
  int depth_unit;                 ///< words that every depth is a multiple of
  int query_rows;                 ///< of a query block of the forward pass: whole tiles
  int query_row_words;            ///< along the rows of a query block of the backward pass: whole tiles

  void (*scores)(ScoresTile);  ///< null with a matrix unit
  void (*gradients)(GradientTile);
  /// A [tile_rows][depth]: rows of the block, as P V and dS K need it; B a panel.
  void (*product)(Product);
  /// A [depth][tile_rows]: columns of the block, as P^T dO and dS^T Q need it; B a panel. With a matrix unit A B is
  /// dO^T P or Q^T dS: A [tile_rows][query_row_words], the head's dims as rows, and B the block.
  void (*product_transposed)(Product);

  RowKernels rows;

  /// The same multiply-add on registers alone, `steps` times; returns FLOPs. For measuring the peak.
  double (*multiply_add)(std::int64_t steps);
  /// to = exp2(from), of `count` numbers, a multiple of 16. Both may be the same.
  void (*exp2)(const float* from, float* to, std::int64_t count);

  int words(int elements) const { return bf16_pairs ? elements / 2 : elements; }
  int per_word() const { return bf16_pairs ? 2 : 1; }
  /// Words that a sum over so many elements takes.
  int depth(int elements) const { return (words(elements) + depth_unit - 1) / depth_unit * depth_unit; }
  /// The width of packed row tiles (pack.hpp): their rows in turn, or one by one.
  int tile_width() const { return matrix_unit != nullptr ? 1 : tile_rows; }
};

}  // namespace cpbench
