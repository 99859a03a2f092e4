// What ran where, as far as times depend on it: a header's texts, for people and to tell launches apart.
#pragma once

#include <string>

#include "result/record.hpp"

namespace cpbench {

struct Origin {
  std::string tool;       ///< `0.1.0 (git 3f9a2c...)`
  std::string build;      ///< type, compiler and flags
  std::string mpi;        ///< empty: not known
  std::string devices;    ///< `4 x AMD EPYC`
  std::string hosts;      ///< `node1, node2`
  std::string cpus;       ///< that ranks may use: `0-1`
  std::string variables;  ///< of the environment: `OMP_NUM_THREADS=2`
};
Origin origin_of(const Header& header);

}  // namespace cpbench
