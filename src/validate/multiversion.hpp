// One function, compiled for several instruction sets, with the best one chosen when the program loads.
#pragma once

// GCC's mechanism for x86-64. It works through ifunc resolvers, which run before the address sanitizer is set up.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define CPBENCH_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CPBENCH_MULTIVERSION
#endif
