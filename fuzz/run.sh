#!/bin/sh
# Fuzzes with libFuzzer on stable Rust: fuzz/run.sh [SECONDS [TARGET..]], 600 seconds of every target by default.
# Prints the runs and the peak memory of each; a crash, a run beyond 20 s or beyond 1 GiB ends it with an error, and the input
# lies in fuzz/artifacts. Needs a C++ compiler. cargo-fuzz does the same with `cargo fuzz run --sanitizer none`.
set -eu
seconds=${1:-600}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")"
# shellcheck disable=SC2046 # names of targets hold no spaces
[ $# -gt 0 ] || set -- $(ls targets | sed -n 's/\.rs$//p')
host=$(rustc -vV | sed -n 's/^host: //p')
# The coverage that libFuzzer steers by; all of these flags are stable.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing" \
    cargo build --release --target "$host" $(printf ' --bin %s' "$@")

# Copies files into the target's corpus with one byte before each: the target's choice of options.
seed() {
    for file; do
        { printf '\000'; cat "$file"; } > "corpus/$target/seed-$(basename "$file")"
    done
}

for target; do
    mkdir -p "corpus/$target" artifacts
    case $target in
        decoder) seed $(ls ../fixtures/mfcc/audio/* | grep -v '\.npy$') ;;
        encoder) seed ../fixtures/encoders/tiny.onnx ;;
        front_end)
            for preset in librosa-0.8.1 librosa-0.9 librosa-0.10 timnet-0.8.1 timnet-0.9 timnet-0.10 timnet-paper; do
                printf 'preset = "%s"\nhop_length = 400\nn_mels = 64\nfmax = 8000.0\n' $preset > "corpus/$target/seed-$preset"
            done ;;
        hdf5) seed ../fixtures/keras/*.hdf5 ;;
        # Without a file to start from: the target makes one and changes it.
        model) printf '\001abcdef' > "corpus/$target/seed" ;;
    esac
    # Seeds that belong to a target alone lie beside it.
    seeds=
    [ ! -d "seeds/$target" ] || seeds=seeds/$target
    log=artifacts/$target.log
    # shellcheck disable=SC2086 # an empty $seeds is no argument
    if ! "${CARGO_TARGET_DIR:-target}/$host/release/$target" "corpus/$target" $seeds -artifact_prefix="artifacts/$target-" \
        -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=20 -max_len=131072 -print_final_stats=1 > "$log" 2>&1; then
        tail -n 60 "$log"
        echo "fuzz target $target failed after the output above; its input is in fuzz/artifacts" >&2
        exit 1
    fi
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    echo "fuzz target $target: $(stat number_of_executed_units) runs, peak memory $(stat peak_rss_mb) MiB"
done
