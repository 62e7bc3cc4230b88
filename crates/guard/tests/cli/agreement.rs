//! Real bash agrees: what it runs is refused, what it only reads passes.
//!
//! Scripts are made of contexts within contexts, each of which bash runs to its end. `docker` is a program that
//! notes when it is told to build; guard must refuse exactly the scripts that make it do so.

use proptest::prelude::*;
use testkit::Sandbox;

use crate::guard;

/// What is run, without a quote or a line break, so that it may stand in any context.
const COMMANDS: [&str; 10] = [
    "docker build .",
    "docker --context x build .",
    "d\\ocker \"build\" .",
    "docker $NOTHING build .",
    "X=1 docker build .",
    "docker run build",
    "docker --context build ps",
    "echo docker build .",
    "true # docker build .",
    "printf %s docker build",
];

/// Contexts that run a command of any form.
const RUN: [&str; 24] = [
    "true; @",
    "true && @\ntrue",
    "false || @\ntrue",
    "(@\n)",
    "{ @\n}",
    "if true; then @\nfi",
    "if false; then :; else @\nfi",
    "if @\nthen :; fi",
    "for i in docker; do @\ndone",
    "for ((i = 0; i < 1; i++)); do @\ndone",
    "while @\nfalse; do :; done",
    "case x in docker) :;; (x|build) @\n;; esac",
    "f() { @\n}; f",
    "function g { @\n}; g",
    "echo $(@\n)",
    "echo \"a $(@\n) b\"",
    "echo ${X:-$(@\n)}",
    "echo $((0$(@\n) + 1)) 2>&1",
    "a=($(@\n) b)",
    "cat <(@\n)",
    "{ @\n} > out 2>&1",
    "echo \"$(cat <<'E'\ndocker build\nE\n)\" ; @",
    "time @",
    "[[ docker == build && x > y ]] || @\ntrue",
];

/// Contexts that run a text given in single quotes.
const QUOTED: [&str; 8] = [
    "bash -c '@'",
    "bash -eo pipefail -c 'set +e; @'",
    "eval '@'",
    "(trap '@' EXIT)",
    "env -i PATH=\"$PATH\" A=1 bash -c '@'",
    "command nice -n 1 timeout -k 1 60 bash -c '@'",
    "find . -maxdepth 0 -exec bash -c '@' \\;",
    "echo x | xargs bash -c '@'",
];

/// Contexts in which it is only text.
const TEXT: [&str; 9] = [
    "echo '@'",
    ": \"a\" '@' # and",
    "x='@'",
    "a=('@' docker build)",
    "[[ '@' == docker ]]",
    "case '@' in docker) :;; esac",
    "cat <<'E'\n@\nE",
    "cat <<-\"E F\" | grep -c x\n\t@\n\tE F",
    "grep -e '@' /dev/null",
];

fn fill(context: &str, inner: &str) -> String {
    // A here-document takes the text as it is, single quotes are left and entered again.
    let inner =
        if context.contains("'@'") { inner.replace('\'', "'\\''") } else { inner.to_owned() };
    context.replacen('@', &inner, 1)
}

fn script() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(&COMMANDS[..]).prop_map(str::to_owned);
    let run = leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            4 => (prop::sample::select(&RUN[..]), inner.clone()).prop_map(|(context, inner)| fill(context, &inner)),
            2 => (prop::sample::select(&QUOTED[..]), inner.clone()).prop_map(|(context, inner)| fill(context, &inner)),
            2 => (prop::sample::select(&TEXT[..]), inner.clone()).prop_map(|(context, inner)| fill(context, &inner)),
            1 => inner.clone().prop_map(|inner| format!("bash <<'S{}'\n{inner}\nS{}", inner.len(), inner.len())),
            1 => (inner.clone(), inner).prop_map(|(first, second)| format!("{first}\n{second}")),
        ]
    });
    // Text inside a here-document must not end it.
    run.prop_filter("a line ends a here-document too early", |text| {
        text.matches("\nE\n").count() < 2
    })
}

proptest! {
    // Each case starts a dozen processes.
    #![proptest_config(ProptestConfig {
        cases: (ProptestConfig::default().cases / 2).min(2000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn with_what_it_runs(script in script()) {
        let sandbox = Sandbox::new();
        let built = sandbox.home().join("built");
        let note = format!(
            "while [ \"$1\" = --context ]; do shift 2; done; [ \"$1\" != build ] || touch {}",
            built.display()
        );
        sandbox.program("docker", &note);
        let bash = sandbox.run("/bin/bash").args(["-c", &script]).output();
        let is_shell = !bash.stderr.contains("syntax error") && !bash.stderr.contains("unexpected EOF");
        prop_assume!(is_shell);
        let judged = guard(&sandbox, ["command", "--", &script]).output();
        prop_assert_eq!(judged.code, i32::from(built.exists()), "{}\n{}{}", script, judged.stdout, bash.stderr);
    }
}
