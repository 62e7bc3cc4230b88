//! What loads there loads here, with the same processes; what does not is refused here as well.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::Sandbox;

use super::{cases, folder};

/// Loads better than there: a form that is fatal there, and a process that runs nothing.
const BETTER: [(&str, i32); 3] =
    [("expand-unsupported-dash", 0), ("no-command", 1), ("unknown-nested-key-strict", 1)];

#[test]
fn every_case_loads_as_it_did() {
    let mut seen = 0;
    for case in cases() {
        let id = case["id"].as_str().unwrap();
        let observed = &case["observed_upstream"];
        let better = BETTER.iter().find(|(name, _)| *name == id).map(|(_, code)| *code);
        let failed = !observed["fatal"].as_array().unwrap().is_empty();
        let expected = better.unwrap_or(i32::from(failed));
        let sandbox = Sandbox::new();
        let texts = |key: &str| -> Vec<String> {
            let all = case[key].as_array().into_iter().flatten();
            all.map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let mut run = sandbox.run(env!("CARGO_BIN_EXE_pc")).args(["config", "--json", "-q"]);
        for file in texts("files").iter().filter(|file| *file != "auto-discovery") {
            run = run.args(["-f", file]);
        }
        let args = texts("args");
        if let [flag, namespace] = args.as_slice()
            && flag == "-n"
        {
            run = run.args(["-n", namespace]);
        }
        for (name, value) in case["env"].as_object().unwrap() {
            run = run.env(
                name,
                value.as_str().unwrap().replace("@TMP@", &sandbox.tmp().display().to_string()),
            );
        }
        let output = run.dir(folder().join(case["dir"].as_str().unwrap())).output();
        assert_eq!(output.code, expected, "{id}: {}{}", output.stdout, output.stderr);
        if expected == 0 {
            let found: Value = serde_json::from_str(&output.stdout).unwrap();
            let found: BTreeSet<&String> = found["processes"].as_object().unwrap().keys().collect();
            let states: BTreeSet<&String> =
                observed["states"].as_object().unwrap().keys().collect();
            assert!(states.is_empty() || found == states, "{id}: {found:?} is not {states:?}");
        }
        seen += 1;
    }
    assert!(seen >= 66, "{seen}");
}
