//! `ports completions` and `ports man`.

use testkit::Sandbox;

use super::{ports, sandbox};

#[test]
fn completions_for_every_shell() {
    let sandbox = Sandbox::without_programs();
    for (shell, words) in [
        ("bash", "complete -F _ports"),
        ("zsh", "#compdef ports"),
        ("fish", "complete -c ports"),
        ("elvish", "edit:completion:arg-completer[ports]"),
        ("powershell", "-CommandName 'ports'"),
    ] {
        let output = ports(&sandbox, &["completions", shell]).code(0);
        assert!(output.stdout.contains(words), "{shell}");
        assert!(output.stdout.contains("fix-annotations"), "{shell}");
        output.stderr("");
    }
    let output = ports(&sandbox, &["completions", "tcsh"]).code(2).stdout("");
    assert!(output.stderr.contains("invalid value 'tcsh'"), "{}", output.stderr);
}

#[test]
fn bash_completes() {
    let sandbox = Sandbox::new();
    sandbox.link_program("ports", env!("CARGO_BIN_EXE_ports"));
    let script = "source <(ports completions bash)
        COMP_WORDS=(ports lint --st) COMP_CWORD=2
        _ports ports --st lint
        echo \"${COMPREPLY[@]}\"";
    sandbox.bash(script).output().code(0).stdout("--staged\n").stderr("");
}

#[test]
fn a_manual_page() {
    let sandbox = sandbox();
    let page = ports(&sandbox, &["man"]).code(0);
    assert!(page.stdout.contains(".TH ports 1 "), "{}", page.stdout);
    assert!(page.stdout.contains("ports\\-lint(1)"), "{}", page.stdout);
    page.stderr("");
    let pages = ports(&sandbox, &["man", "--dir", "share/man1"]).code(0);
    let names: Vec<&str> = pages.stdout.lines().collect();
    assert!(
        names.contains(&"share/man1/ports.1") && names.contains(&"share/man1/ports-get.1"),
        "{names:?}"
    );
    for name in names {
        assert!(sandbox.read(name).contains(".SH SYNOPSIS"), "{name}");
    }
    assert!(sandbox.read("share/man1/ports-lint.1").contains("fix\\-annotations"));
    pages.stderr("");
    sandbox.write("file", "");
    let output = ports(&sandbox, &["man", "--dir", "file/man1"]).code(2).stdout("");
    assert!(
        output.stderr.starts_with("ports: failed to write the manual page `ports-"),
        "{}",
        output.stderr
    );
}
