//! The Nix files of this repository, under every real Nix.

use testkit::{RealNix, Sandbox, Suite};

use crate::support;

#[test]
fn every_nix_file_parses() {
    let sandbox = Sandbox::new();
    support::copy_repository(&sandbox);
    let files = sandbox
        .bash("find . -name '*.nix' -not -path '*/tests/data/*' | sort")
        .output()
        .code(0)
        .stdout;
    let files: Vec<&str> = files.lines().collect();
    assert!(files.contains(&"./flake.nix"), "{files:?}");
    for suite in Suite::ALL {
        let nix = RealNix::install(&sandbox, suite);
        for file in &files {
            drop(nix.run("nix-instantiate", ["--parse", file]).output().code(0));
        }
    }
}

#[test]
fn the_library_names_variables_as_the_tool_does() {
    let sandbox = support::bed();
    support::copy_repository(&sandbox);
    let nix = RealNix::install(&sandbox, Suite::Forky);
    let registry = "examples/lib/ports.nix";
    let ours =
        sandbox.bash(&format!("ports -f {registry} export --format env")).output().code(0).stdout;
    let expression = format!(
        "let env = (import ./flake/lib.nix).ports.env (import ./{registry}); in \
             builtins.concatStringsSep \"\" (map (n: \"${{n}}=${{env.${{n}}}}\\n\") (builtins.attrNames env))"
    );
    let theirs = nix.ok("nix-instantiate", ["--eval", "--strict", "--json", "-E", &expression]);
    let theirs: String = serde_json::from_str(&theirs).unwrap();
    // The tool goes by paths, an attribute set by names.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(ours.contains("TAILSCALE") && ours.contains("MEDIA"), "{ours}");
    assert_eq!(sorted(&ours), sorted(&theirs), "{registry}");
}
