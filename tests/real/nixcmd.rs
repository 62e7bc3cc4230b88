//! nixcmd's requests are answered by Nix of each version.

use nixcmd::{Eval, Nix, NixError, Silent};
use testkit::{RealNix, Sandbox, Suite};

fn command(sandbox: &Sandbox) -> Nix {
    Nix::on_path(Some(sandbox.root().join("bin").as_os_str()), &sandbox.work())
}

#[test]
fn closures_of_links_and_files() {
    let sandbox = Sandbox::new();
    let root = RealNix::install(&sandbox, Suite::Bookworm).build_graph(12);
    std::os::unix::fs::symlink(&root, sandbox.path("result")).unwrap();
    let mut closures = Vec::new();
    for suite in Suite::ALL {
        let _nix = RealNix::install(&sandbox, suite);
        let nix = command(&sandbox);
        closures.push(nix.closure(&["result"], &mut Silent).unwrap());
        closures.push(nix.closure(&[format!("{root}/self")], &mut Silent).unwrap());
        // Where the new command is switched off for good, nix-store tells the same but for content addresses.
        sandbox.program(
            "nix",
            "echo \"error: experimental Nix feature 'nix-command' is disabled\" >&2; exit 1",
        );
        closures.push(nix.closure(&["result"], &mut Silent).unwrap());
    }
    assert_eq!(closures[0].len(), 12);
    assert!(closures.iter().all(|closure| *closure == closures[0]));
}

#[test]
fn a_path_that_is_not_there() {
    let sandbox = Sandbox::new();
    for suite in Suite::ALL {
        let real = RealNix::install(&sandbox, suite);
        let path = real.store().join("00000000000000000000000000000000-absent");
        let error = command(&sandbox).closure(&[&path], &mut Silent).unwrap_err();
        assert!(matches!(error, NixError::Absent(_)), "{suite:?}: {error}");
        sandbox.program("nix", "echo \"error: unrecognised flag '--x'\" >&2; exit 1");
        let error = command(&sandbox).closure(&[&path], &mut Silent).unwrap_err();
        assert!(matches!(error, NixError::Absent(_)), "{suite:?}: {error}");
    }
}

#[test]
fn evaluation_is_strict_and_pure_of_any_store() {
    let sandbox = Sandbox::new();
    sandbox.write("lib/default.nix", "{ redis = 6379; }");
    sandbox.write("ports.nix", "{ databases = import ./lib; web = [ 80 (80 + 363) ]; }");
    for suite in Suite::ALL {
        let _nix = RealNix::install(&sandbox, suite);
        let eval = |eval: Eval| command(&sandbox).eval(&eval, &mut Silent);
        let value = eval(Eval::file("ports.nix")).unwrap();
        assert_eq!(value.to_string(), r#"{"databases":{"redis":6379},"web":[80,443]}"#);
        assert_eq!(eval(Eval::file("ports.nix").attr("databases.redis")).unwrap(), 6379);
        let error = eval(Eval::file("ports.nix").attr("nope")).unwrap_err().to_string();
        assert!(error.contains("failed with exit code 1:\nerror: attribute 'nope'"), "{error}");
        let error = eval(Eval::expression("throw \"no\"")).unwrap_err().to_string();
        assert!(error.contains("no"), "{error}");
    }
}
