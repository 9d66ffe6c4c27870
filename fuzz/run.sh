#!/bin/sh
# Runs one fuzz target with libFuzzer on stable Rust: fuzz/run.sh decoder|front_end [SECONDS]
# Needs a C++ compiler. cargo-fuzz does the same with `cargo fuzz run --sanitizer none`.
set -eu
target=$1
seconds=${2:-600}
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
# The coverage that libFuzzer steers by; all of these flags are stable.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing" \
    cargo build --release --target "$host" --bin "$target"
mkdir -p "corpus/$target"
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "corpus/$target" \
    -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=20 -max_len=65536 -print_final_stats=1
