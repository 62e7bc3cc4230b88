//! The evaluator against the newest real Nix, on generated registries and expressions: the same value, or a refusal.

use std::fmt::Write as _;

use nixexpr::{EvalError, Evaluator, Limits, generate};
use testkit::{RealNix, Sandbox, Suite};

/// How many files one Nix evaluates: its start costs as much as hundreds of them.
const BATCH: usize = 200;

/// How many of each kind; `./tests/run --full` tries ten times as many.
fn count() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "it is how the long run is asked for")]
    if std::env::var_os("LIKEWISE_FULL").is_some() { 10_000 } else { 1_000 }
}

fn evaluate(text: &str) -> Result<String, EvalError> {
    let mut nix = Evaluator::new(Limits::default());
    nix.overlay(generate::SHARED.0.as_ref(), generate::SHARED.1);
    let root = nix.text("generated.nix".as_ref(), text)?;
    let (root, _) = nix.apply_head(root)?;
    nix.json(root)
}

/// What Nix makes of some files, each as the text of its JSON; none if one of them fails.
fn ask(nix: &RealNix<'_>, files: &[String]) -> Option<Vec<String>> {
    let mut expression = String::from(
        "map (f: let v = import f; in builtins.toJSON (if builtins.isFunction v then v { } else v)) [",
    );
    for file in files {
        write!(expression, " {file}").unwrap();
    }
    expression.push_str(" ]");
    let args = ["--eval", "--strict", "--json", "--store", "dummy://", "-E", &expression];
    let output = nix.run("nix-instantiate", args).output();
    (output.code == 0).then(|| serde_json::from_str(&output.stdout).unwrap())
}

/// Compares the values that we have with those of Nix; all must have one.
fn compare(sandbox: &Sandbox, nix: &RealNix<'_>, cases: &[(String, String)]) {
    sandbox.write(generate::SHARED.0, generate::SHARED.1);
    for batch in cases.chunks(BATCH) {
        let files: Vec<String> = batch
            .iter()
            .enumerate()
            .map(|(at, (text, _))| sandbox.write(format!("{at}.nix"), text).display().to_string())
            .collect();
        let Some(theirs) = ask(nix, &files) else {
            let one = files.iter().position(|file| ask(nix, std::slice::from_ref(file)).is_none());
            let (text, ours) = &batch[one.unwrap_or(0)];
            panic!("Nix refuses what we evaluate to {ours}:\n{text}");
        };
        for ((text, ours), theirs) in batch.iter().zip(theirs) {
            assert_eq!(*ours, theirs, "left: ours, right: Nix's, of\n{text}");
        }
    }
}

#[test]
fn generated_registries_have_the_value_that_nix_gives_them() {
    let sandbox = Sandbox::new();
    let nix = RealNix::install(&sandbox, Suite::Forky);
    let cases: Vec<_> = (0..count())
        .map(|seed| {
            let (text, _) = generate::registry(seed);
            let ours = evaluate(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
            (text, ours)
        })
        .collect();
    compare(&sandbox, &nix, &cases);
}

#[test]
fn generated_expressions_have_the_value_that_nix_gives_them_or_none() {
    let sandbox = Sandbox::new();
    let nix = RealNix::install(&sandbox, Suite::Forky);
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for text in (0..count()).map(generate::expression) {
        match evaluate(&text) {
            Ok(value) => values.push((text, value)),
            Err(error) if error.is_refusal() => {}
            Err(_) => errors.push(text),
        }
    }
    assert!(values.len() > 300, "only {} of {} have a value", values.len(), count());
    compare(&sandbox, &nix, &values);
    // What we call wrong, Nix does too. One at a time, so only a part of them.
    for text in errors.iter().take(40) {
        let file = sandbox.write("wrong.nix", text).display().to_string();
        assert_eq!(ask(&nix, &[file]), None, "Nix has a value for\n{text}");
    }
}
