# The gates of the project: what each of them checks, and how. scripts/test runs all that a change must pass,
# scripts/check one. To be sourced by bash in the project's folder.

# In the order of scripts/test: what is known soonest comes first.
gates=(format dependencies lints documentation build tests)
# Run by their name alone: `quick` is a part of `tests`, `oldest` needs another compiler, `hosted-docs` compiles all dependencies
# once more.
gates_by_name=(quick oldest hosted-docs)

declare -A gate_words=(
  [format]="the code is formatted as rustfmt does it"
  [dependencies]="licenses and origin of all dependencies (cargo deny)"
  [lints]="clippy and the compiler have nothing to say, with what the tests see of it and without"
  [documentation]="the documentation builds, and its links lead somewhere"
  [build]="the program and all tests compile"
  [tests]="all tests pass"
  [quick]="the tests of the library, the scenarios, the screens and the configuration pass"
  [oldest]="the code compiles with the oldest Rust that Cargo.toml promises"
  [hosted-docs]="the documentation builds as docs.rs builds it, without OpenCV and FFmpeg"
)

gate_format() { cargo fmt --check; }

# Advisories need a database from the network and change by the day: docs/advisories.md holds what was looked up.
gate_dependencies() { cargo deny --locked check bans licenses sources; }

# With what the tests see of the library, and without it: only then the compiler finds what nobody uses.
gate_lints() {
  cargo clippy --locked --all-targets -- -D warnings &&
    cargo clippy --locked --no-default-features --lib --bins -- -D warnings
}

# Without what the tests see: that is public by its words alone.
gate_documentation() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-default-features --no-deps --document-private-items
}

gate_build() { cargo test --locked --no-run; }

# Files of tests that wait most of their time, for a disk that does not answer or for somebody's patience to end. They run beside
# the others, which took a sixth of the time off; what they say comes after that of the others.
tests_that_wait=(api full_disk ledger_disks mqtt reload rough_network rtsp serve shared_folder)

gate_tests() {
  local file name said waiting=() others=() failed=0
  for file in tests/*.rs; do
    [ -e "$file" ] || continue
    name=$(basename "$file" .rs)
    if [[ " ${tests_that_wait[*]} " = *" $name "* ]]; then waiting+=(--test "$name"); else others+=(--test "$name"); fi
  done
  said=$(mktemp) || return
  # Without a file named, all would be run.
  if [ ${#waiting[@]} -gt 0 ]; then cargo test --locked --no-fail-fast "${waiting[@]}" >"$said" 2>&1 & fi
  cargo test --locked --no-fail-fast --lib --bins "${others[@]}" || failed=1
  if [ ${#waiting[@]} -gt 0 ]; then wait $! || failed=1; fi
  cat "$said"
  rm "$said"
  cargo test --locked --doc || failed=1
  return "$failed"
}

# Nothing else is compiled. In one process for each file: OpenCV and FFmpeg bring 230 libraries, and each process takes 0.1 s to
# load them, which nextest pays for each test. Two tests a core, because a fourth of their time is spent waiting.
gate_quick() {
  RUST_TEST_THREADS=$(($(nproc) * 2)) cargo test --locked --no-fail-fast --lib --test scenarios --test screens --test config
}

gate_oldest() {
  local oldest
  oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  case $(cargo --version) in
    "cargo $oldest."*) cargo check --locked --all-targets ;;
    *) cargo "+$oldest" check --locked --all-targets ;;
  esac
}

# As `package.metadata.docs.rs` in Cargo.toml has it built.
gate_hosted-docs() {
  DOCS_RS=1 RUSTFLAGS="--cfg pcount_docs" RUSTDOCFLAGS="--cfg docsrs --cfg pcount_docs -D warnings" \
    cargo rustdoc --locked --lib --no-default-features --target-dir "${CARGO_TARGET_DIR:-target}/hosted-docs"
}

# With a target folder elsewhere the tests do not find the library by themselves.
gates_library() {
  local library=$PWD/.cache/onnxruntime/libonnxruntime.so
  if [ -n "${CARGO_TARGET_DIR:-}" ] && [ -z "${ORT_DYLIB_PATH:-}" ] && [ -s "$library" ]; then
    export ORT_DYLIB_PATH=$library
  fi
}
