// Realistic document lengths, drawn from a histogram of a corpus.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace cpbench {

/// Lengths >= 1 that sum to seq_len; the last one is cut to fit. Fit for Documents::from_lengths.
/// `histogram` is a JSON object that maps ranges of lengths "[low,high)" to shares of documents, which are normalised.
/// Within a range lengths are uniform; within the last one, the corpus's long tail, they are log-uniform.
/// Draws come from counters (Philox), so a seed gives the same lengths on every platform.
/// Throws a usage error that names the file if it is missing or ill-formed, and for a seq_len outside of Documents'
/// limits or that would hold more than 2^22 documents.
std::vector<std::int64_t> sample_document_lengths(const std::filesystem::path& histogram, std::int64_t seq_len,
                                                  std::uint64_t seed);

}  // namespace cpbench
