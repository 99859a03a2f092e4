# Every target sets the machine up first, which is instant where nothing is missing (scripts/setup.sh). cmake, ctest and their
# presets (CMakePresets.json) do the rest.

RANKS ?= 4
CONFIGURE ?=
PREFIX ?= /usr/local
KERNEL ?= blocked
DIR ?= carry/gpu
jobs := $(shell nproc)
result := results/bench

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: help setup build bench bench-kernels cuda gpu-check gpu-bundle test format lint sanitize mpich isas neon check-all install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## install what building and testing needs (Debian and Ubuntu; elsewhere: name it)
	@scripts/setup.sh build test

setup-%:
	@scripts/setup.sh $*

build: build/build.ninja ## the program, build/cpbench
	cmake --build --preset release --target cpbench

bench: build ## every algorithm on a real model's attention shape, on RANKS=4 MPI ranks
	@mkdir -p results
	scripts/launch.sh $(RANKS) build/cpbench run --config configs/bench.json --iterations 5 --warmup 1 \
	  --json $(result).json --overwrite --trace $(result).trace.json
	@echo "Every sample and its provenance: $(result).json (docs/results-format.md says what each figure means)."
	@echo "The timelines of all ranks, one file a point: open one of $(result).trace.*.json in https://ui.perfetto.dev."
	@echo "Your own cases: build/cpbench run --help, and the sweeps in configs/."

cuda: build-cuda/build.ninja build-cuda/disassembler ## the program with the GPU backend, build-cuda/cpbench, and what can be tested without a GPU
	cmake --build --preset cuda
	PYTHONPATH=$(CURDIR)/build-cuda/disassembler ctest --preset cuda

# What a test reads the GPU kernels' machine code with, where the toolkit came without: from PyPI, or not at all.
build-cuda/disassembler:
	@command -v cuobjdump >/dev/null || python3 -m pip install --quiet --root-user-action ignore --target $@ \
	  nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm || echo "cuda: no disassembler: the test of the machine code is skipped"

gpu-check: $(if $(CPBENCH_PROGRAM),,cuda) ## checks and measures build-cuda/cpbench, or CPBENCH_PROGRAM=..., on one GPU (docs/gpu.md)
	python3 scripts/gpu_check.py $(ARGS)

gpu-bundle: cuda ## in DIR=carry/gpu, what a machine without build tools needs for gpu-check
	scripts/bundle.sh $(DIR) build-cuda/cpbench

test: build/build.ninja ## all tests
	cmake --build --preset release
	ctest --preset release -j $(jobs)

bench-kernels: build/build.ninja ## GFLOP/s and fraction of the multiply-add peak of KERNEL=blocked, case by case
	cmake --build --preset release --target kernel_benchmark
	build/kernel_benchmark $(KERNEL) $(ARGS)

format: setup-lint ## rewrite the sources in the house format
	scripts/format.sh

lint: setup-lint build-lint/build.ninja ## format, shellcheck, and clang-tidy on what changed
	cmake --build --preset lint
	scripts/lint.sh

lint-all: setup-lint build-lint/build.ninja
	cmake --build --preset lint
	scripts/lint.sh --all

sanitize: build-sanitize/build.ninja ## unit and property tests under the address and undefined-behaviour sanitizers
	cmake --build --preset sanitize
	ctest --preset sanitize -j $(jobs)

mpich: setup-mpich build-mpich/build.ninja ## the tests that MPI launches, with MPICH
	cmake --build --preset mpich
	ctest --preset mpich -j $(jobs)

isas: build/build.ninja ## the CPU's tests again with every other instruction set of this machine
	cmake --build --preset release
	scripts/test_instruction_sets.sh -j $(jobs)

neon: setup-neon ## the kernel tests for AArch64, cross-compiled and emulated
	scripts/test_neon.sh

check-all: setup ## everything, however long
	CPBENCH_LONG_TESTS=1 $(MAKE) test
	$(MAKE) lint-all sanitize mpich isas neon

install: build ## into PREFIX=/usr/local
	cmake --install build --prefix $(PREFIX)

clean: ## remove the build directories
	rm -rf build build-*

# A build directory follows its preset here; ninja makes it follow the CMake files.
build/build.ninja: CMakePresets.json | setup
	cmake --preset release $(CONFIGURE)

build-%/build.ninja: CMakePresets.json | setup
	cmake --preset $* $(CONFIGURE)
