# The habits of this project. `just` lists them.
_default:
    @just --list

# Everything that CI runs
check:
    .ci/run

# Tests alone
test:
    cargo test

# Accept changed snapshots, to be looked at with `git diff snapshots`
snap:
    INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test --test runner
    cargo test --test runner

# Times beside SQLite's own tools, as Markdown: `just bench --chunks 1000000`
bench *ARGS:
    cargo bench -- {{ARGS}}

# The tests that take long: each step of each command disturbed, many generated inputs, a browser
deep:
    cargo test --locked -- --ignored

# Advisories, licenses and sources of all dependencies; needs the network and cargo-deny
deny:
    cargo deny check

# Changes of the code that no test notices, by cargo-mutants and cargo-nextest: `just mutants --re advance`
mutants *ARGS:
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0 cargo mutants --baseline skip --timeout 240 {{ARGS}}

# The archive of a release in dist/, for this machine or for `just dist x86_64-unknown-linux-musl`
dist *TARGET:
    packaging/dist {{TARGET}}

# The pictures of the README, after a change of the page; needs Chromium and sqlite3
pictures:
    packaging/pictures

# Formatting and lints, mended where that can be done
fix:
    cargo clippy --fix --allow-dirty --workspace --all-targets
    cargo fmt --all

# Without a sanitizer, which would take most of the speed: nothing here is unsafe, and C is not instrumented.
# Fuzz a target with cargo-fuzz on nightly: `just fuzz compare -max_total_time=600`
fuzz TARGET *ARGS:
    mkdir -p fuzz/corpus/{{TARGET}}
    cargo +nightly fuzz run --sanitizer none {{TARGET}} fuzz/corpus/{{TARGET}} fuzz/seeds/{{TARGET}} -- {{ARGS}}
