# Recipes are thin: each calls a file or a tool that works without just.

set shell := ["bash", "-euo", "pipefail", "-c"]

# List the recipes
default:
    @just --list

# Run the whole chain on real input
demo:
    ./demo/run

# Run every test with the real peers
test *ARGS:
    ./tests/run {{ ARGS }}

# Format and lint, as CI does
check:
    cargo fmt --all --check
    cargo run --quiet --package ports -- lint
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Format, and apply what clippy can fix by itself
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --all-features --fix --allow-dirty --allow-staged

# Run the engine of pc through N random schedules
simulate N="1000000":
    LIKEWISE_SCHEDULES={{ N }} cargo test --package pc --lib simulation -- --nocapture

# Run the benchmarks, or those named
bench *NAMES:
    for name in {{ if NAMES == "" { "$(ls bench)" } else { NAMES } }}; do ./bench/$name; done

# Build an image of PATHS and print its plan
image +PATHS:
    @cargo run --quiet --package ociimg -- build {{ PATHS }}

# Build an image of PATHS, push it to REF and print its digest
push REF +PATHS:
    @cargo run --quiet --package ociimg -- build {{ PATHS }} | cargo run --quiet --package pushimg -- {{ REF }}

# Write the hashes of yarn.lock that are stale
update-yarn-hash *PATHS:
    @cargo run --quiet --package hashfix -- yarn --fix {{ PATHS }}
