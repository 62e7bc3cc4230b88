//! Requests against programs that answer as Nix of several versions does, and as a broken one may.

use std::time::{Duration, Instant};

use nixcmd::{Eval, Nix, NixError, Silent};
use nixdata::Closure;
use testkit::Sandbox;

const BASE: &str = "/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0";
const APP: &str = "/nix/store/1dw7ymnnai9zj90p23jpfy9zfi007l2s-app";

/// What `path-info` of 2.8 says of a path without references.
fn list() -> String {
    let hash = "sha256-H9iWrazNxp1ESVSXxMQ/1AZsRuXprxoOg7NJPhQ+6vU=";
    format!(r#"[{{"path":"{BASE}","narHash":"{hash}","narSize":120,"references":[]}}]"#)
}

fn nix(sandbox: &Sandbox) -> Nix {
    Nix::on_path(Some(sandbox.root().join("bin").as_os_str()), &sandbox.work())
}

fn closure(nix: &Nix, root: &str) -> (Vec<String>, Result<Closure, NixError>) {
    let mut commands = Vec::new();
    let result = nix.closure(&[root], &mut |line: &str| commands.push(line.to_owned()));
    (commands, result)
}

#[test]
fn the_new_command_is_asked_first() {
    let sandbox = Sandbox::new();
    sandbox.program("nix", &format!("echo 'warning: deprecated' >&2; printf %s '{}'", list()));
    let (commands, result) = closure(&nix(&sandbox), BASE);
    assert_eq!(result.unwrap().paths()[0].nar_size, Some(120));
    let command = "nix --extra-experimental-features nix-command path-info --json --recursive";
    assert_eq!(commands, [format!("{command} {BASE}")]);
}

#[test]
fn a_nix_that_wants_a_format_gets_one() {
    let sandbox = Sandbox::new();
    sandbox.program(
        "nix",
        &format!(
            "case \"$*\" in *--json-format*) printf %s '{}';; \
             *) echo \"error: '--json' needs '--json-format'\" >&2; exit 1;; esac",
            list()
        ),
    );
    let (commands, result) = closure(&nix(&sandbox), BASE);
    assert_eq!(result.unwrap().len(), 1);
    assert_eq!(commands.len(), 2);
    assert!(commands[1].contains("--json --recursive --json-format 1"));
}

#[test]
fn without_the_new_command_the_old_one_answers() {
    let refusals = [
        "error: experimental Nix feature 'nix-command' is disabled; use '--extra-experimental-features nix-command' to override",
        "error: unrecognised flag '--extra-experimental-features'",
    ];
    for refusal in refusals.map(Some).into_iter().chain([None]) {
        let sandbox = Sandbox::new();
        if let Some(refusal) = refusal {
            sandbox.program("nix", &format!("echo \"{refusal}\" >&2; exit 1"));
        }
        sandbox.program(
            "nix-store",
            &format!(
                "case $1 in --query) echo {BASE};; \
                 --dump-db) printf '%s\\n' {BASE} 1fd896adaccdc69d44495497c4c43fd4066c46e5e9af1a0e83b3493e143eeaf5 120 '' 0;; esac"
            ),
        );
        let (commands, result) = closure(&nix(&sandbox), BASE);
        assert_eq!(result.unwrap().paths()[0].nar_size, Some(120));
        let old = [
            format!("nix-store --query --requisites {BASE}"),
            format!("nix-store --dump-db {BASE}"),
        ];
        assert_eq!(commands[commands.len() - 2..], old);
    }
}

#[test]
fn no_nix_at_all_says_what_to_do() {
    let sandbox = Sandbox::new();
    let (commands, result) = closure(&nix(&sandbox), BASE);
    assert!(commands.is_empty());
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "`nix` is not on PATH");
    assert_eq!(error.hint().unwrap(), "install Nix, or add its bin directory to PATH");
    let nowhere = Nix::on_path(None, &sandbox.work());
    let error = nowhere.eval(&Eval::expression("1"), &mut Silent).unwrap_err();
    assert_eq!(error.to_string(), "`nix-instantiate` is not on PATH");
}

#[test]
fn a_refusal_is_shown_whole_and_without_secrets() {
    let sandbox = Sandbox::new();
    sandbox.program(
        "nix",
        "echo 'error: cannot fetch https://me:s3cret@host/x' >&2; echo '       at line 2' >&2; exit 7",
    );
    let (_, result) = closure(&nix(&sandbox), BASE);
    let shown = result.unwrap_err().to_string();
    assert!(
        shown.ends_with(
            "failed with exit code 7:\nerror: cannot fetch https://***@host/x\n       at line 2"
        ),
        "{shown}"
    );
}

#[test]
fn a_missing_path_is_told_by_its_name() {
    let sandbox = Sandbox::new();
    sandbox.program("nix", &format!("echo \"error: path '{BASE}' is not valid\" >&2; exit 1"));
    let error = closure(&nix(&sandbox), BASE).1.unwrap_err();
    assert_eq!(error.to_string(), format!("`{BASE}` is not in the store"));
    assert_eq!(error.hint().unwrap(), format!("make it with `nix-store --realise {BASE}`"));
    sandbox.program("nix", &format!("printf %s '{{\"{BASE}\":null}}'"));
    assert!(matches!(closure(&nix(&sandbox), BASE).1, Err(NixError::Absent(_))));
}

#[test]
fn wrong_replies_are_errors() {
    let cases = [
        ("echo '<html>'", "is not understood"),
        ("printf %s '[{\"path\":\"/x\"}]'", "is not understood"),
        (
            &format!("printf %s '[{{\"path\":\"{APP}\",\"references\":[\"{BASE}\"]}}]'"),
            "is no closure",
        ),
        ("kill -9 $$", "was killed by signal 9"),
    ];
    for (script, expected) in cases {
        let sandbox = Sandbox::new();
        sandbox.program("nix", script);
        let error = closure(&nix(&sandbox), BASE).1.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_cannot_start_is_named() {
    let sandbox = Sandbox::new();
    let program = sandbox.program("nix", "");
    fs_err::write(program, "#!/does/not/exist\n").unwrap();
    let error = closure(&nix(&sandbox), BASE).1.unwrap_err();
    assert!(
        matches!(&error, NixError::Spawn { command, .. } if command.starts_with("nix ")),
        "{error}"
    );
}

#[test]
fn a_nix_that_hangs_is_killed_even_when_its_children_are_not() {
    let sandbox = Sandbox::new();
    sandbox.program("nix", "echo waiting for a lock >&2; sleep 15");
    let start = Instant::now();
    let nix = nix(&sandbox).with_limit(Duration::from_millis(300));
    let error = closure(&nix, BASE).1.unwrap_err().to_string();
    assert!(error.ends_with("did not end within 0.3 seconds:\nwaiting for a lock"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_long_stderr_is_cut_and_cannot_block() {
    let sandbox = Sandbox::new();
    sandbox
        .program("nix", "head -c 5000000 /dev/zero | tr '\\0' x >&2; echo last words >&2; exit 1");
    let error = closure(&nix(&sandbox), BASE).1.unwrap_err().to_string();
    assert!(error.ends_with("xlast words") && error.len() < 3_000_000, "{}", error.len());
}

#[test]
fn many_roots_go_in_several_commands() {
    let sandbox = Sandbox::new();
    sandbox.program("nix", &format!("printf %s '{}'", list()));
    let roots: Vec<String> = (0..2000).map(|n| format!("/nix/store/{n:032}-x")).collect();
    let mut commands = 0;
    let result = nix(&sandbox).closure(&roots, &mut |_: &str| commands += 1);
    assert_eq!(result.unwrap().len(), 1);
    assert!(commands > 1);
    assert!(matches!(nix(&sandbox).closure::<&str>(&[], &mut Silent), Err(NixError::NoRoots)));
}

#[test]
fn evaluation_needs_neither_daemon_nor_features() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("lib/ports.nix", "{ }");
    sandbox.program("nix-instantiate", "printf '{\"args\":\"%s\"}' \"$*\"");
    let reply = nix(&sandbox).eval(&Eval::file("lib/ports.nix").attr("a.b"), &mut Silent).unwrap();
    let expected = format!("--eval --strict --json --store dummy:// -A a.b {}", file.display());
    assert_eq!(reply["args"], expected);
    let reply = nix(&sandbox).eval(&Eval::expression("-1"), &mut Silent).unwrap();
    assert_eq!(reply["args"], "--eval --strict --json --store dummy:// -E -1");
    sandbox.program("nix-instantiate", "echo '[ 1'");
    let error = nix(&sandbox).eval(&Eval::expression("1"), &mut Silent).unwrap_err();
    assert!(error.to_string().ends_with("is not JSON"), "{error}");
}

#[test]
fn options_of_nix_go_to_every_command() {
    let sandbox = Sandbox::new();
    sandbox.program("nix", &format!("printf %s '{}'", list()));
    let nix = nix(&sandbox).with_options(["--store", "local?root=/x"]);
    let (commands, _) = closure(&nix, BASE);
    assert!(commands[0].ends_with(" --store 'local?root=/x'"), "{commands:?}");
}
