//! `ports offset` in real worktrees of git.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use testkit::{Git, Output, Run, Sandbox};

/// A repository with a registry.
fn bed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("lib/ports.nix", "{ ssh = 22; dev = { api = 3000; web = 3001; }; }");
    sandbox.write("lib/ports.toml", "[offset]\nkeep = [\"ssh\"]\n");
    sandbox
}

fn repository(sandbox: &Sandbox) -> Git<'_> {
    let git = sandbox.git();
    git.commit_all("registry");
    git
}

fn run(sandbox: &Sandbox, folder: &Path, args: &[&str]) -> Run {
    sandbox.run(env!("CARGO_BIN_EXE_ports")).args(args).dir(folder)
}

fn ports(sandbox: &Sandbox, folder: &Path, args: &[&str]) -> Output {
    run(sandbox, folder, args).output()
}

/// The offset of a worktree that has one already.
fn known(sandbox: &Sandbox, folder: &Path) -> i32 {
    let output = ports(sandbox, folder, &["offset"]).code(0);
    assert_eq!(output.stderr, "");
    output.stdout.trim().parse().unwrap()
}

/// The offset of a worktree that gets one now, and says so.
fn first(sandbox: &Sandbox, folder: &Path) -> i32 {
    let output = ports(sandbox, folder, &["offset"]).code(0);
    let offset: i32 = output.stdout.trim().parse().unwrap();
    let slot = offset / 10;
    output.stderr(&format!(
        "ports: note: this worktree has slot {slot} from now on: its offset is {offset}\n"
    ));
    offset
}

fn ledger(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".local/state/likewise/worktree-slots")
}

#[test]
fn the_primary_checkout_has_none() {
    let sandbox = bed();
    ports(&sandbox, &sandbox.work(), &["offset"]).code(0).stdout("0\n").stderr("");
    let _git = repository(&sandbox);
    ports(&sandbox, &sandbox.work(), &["offset"]).code(0).stdout("0\n").stderr("");
    let json = ports(&sandbox, &sandbox.path("lib"), &["offset", "--json"]).code(0);
    json.stdout(&format!(
        "{{\n  \"offset\": 0,\n  \"slot\": 0,\n  \"source\": \"primary checkout\",\n  \"checkout\": \"{}\"\n}}\n",
        sandbox.work().display()
    ))
    .stderr("");
    assert!(!ledger(&sandbox).exists());
}

#[test]
fn worktrees_keep_theirs() {
    let sandbox = bed();
    let git = repository(&sandbox);
    let (one, two) = (git.worktree("one"), git.worktree("two"));
    let (first_one, first_two) = (first(&sandbox, &one), first(&sandbox, &two.join("lib")));
    assert!(first_one > 0 && first_two > 0 && first_one != first_two);
    assert_eq!(known(&sandbox, &one), first_one);
    assert_eq!(known(&sandbox, &two), first_two);
    ports(&sandbox, &sandbox.work(), &["offset"]).code(0).stdout("0\n").stderr("");

    // It moves what it is asked to move, and nothing else.
    let api = 3000 + first_one;
    ports(&sandbox, &one, &["get", "dev.api"]).code(0).stdout("3000\n").stderr("");
    ports(&sandbox, &one, &["get", "--offset", "auto", "dev.api", "ssh"])
        .code(0)
        .stdout(&format!("{api}\n22\n"))
        .stderr("");
    ports(&sandbox, &one, &["env", "--", "sh", "-c", "echo $DEV_API_PORT $PORTS_OFFSET"])
        .code(0)
        .stdout(&format!("{api} {first_one}\n"))
        .stderr("");
    let direnv =
        ports(&sandbox, &one, &["export", "--format", "direnv", "--offset", "auto"]).code(0);
    assert!(direnv.stdout.contains(&format!("export PORTS_OFFSET={first_one}\n")));
    direnv.stderr("");

    // The variable goes before it.
    let run = run(&sandbox, &one, &["offset", "--json"]).env("PORTS_OFFSET", "7");
    run.output()
        .code(0)
        .stdout("{\n  \"offset\": 7,\n  \"slot\": null,\n  \"source\": \"PORTS_OFFSET\",\n  \"checkout\": null\n}\n")
        .stderr("");

    // Removed and made again, the same.
    drop(git.ok(["worktree", "remove", "--force", one.to_str().unwrap()]));
    let three = git.worktree("three");
    let first_three = first(&sandbox, &three);
    assert!(first_three != first_one && first_three != first_two);
    drop(git.ok(["worktree", "add", "--quiet", one.to_str().unwrap(), "one"]));
    assert_eq!(known(&sandbox, &one), first_one);
    assert_eq!(known(&sandbox, &two), first_two);
}

#[test]
fn a_submodule_moves_with_what_it_is_in() {
    let sandbox = bed();
    let git = repository(&sandbox);
    sandbox.write("../inner/lib/ports.nix", "{ inner = 5000; }");
    let inner = sandbox.root().join("inner");
    for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "x"]] {
        drop(git.run(args.iter().copied()).dir(&inner).output().code(0));
    }
    let source = inner.to_str().unwrap();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "sub"];
    drop(git.ok(add));
    git.commit_all("submodule");
    ports(&sandbox, &sandbox.path("sub"), &["offset"]).code(0).stdout("0\n").stderr("");
    let one = git.worktree("one");
    let update = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init"];
    drop(git.run(update).dir(&one).output().code(0));
    let offset = first(&sandbox, &one.join("sub"));
    assert_eq!(known(&sandbox, &one), offset);
}

#[test]
fn fifty_first_calls_at_once() {
    let sandbox = bed();
    let git = repository(&sandbox);
    let worktrees: Vec<PathBuf> = (0..50).map(|n| git.worktree(&format!("w{n}"))).collect();
    let ask = |folder: &PathBuf| {
        let mut child = run(&sandbox, folder, &["offset"]).spawn();
        drop(child.stdin.take());
        child
    };
    // Two for each: whoever comes first, both have the same.
    let running: Vec<_> = worktrees.iter().flat_map(|folder| [ask(folder), ask(folder)]).collect();
    let offsets: Vec<i32> = running
        .into_iter()
        .map(|mut child| {
            let mut text = String::new();
            child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
            assert!(child.wait().unwrap().success());
            text.trim().parse().unwrap()
        })
        .collect();
    for (pair, folder) in offsets.chunks(2).zip(&worktrees) {
        assert_eq!(pair[0], pair[1]);
        assert_eq!(known(&sandbox, folder), pair[0]);
    }
    // No port of one is a port of another.
    let numbers: BTreeSet<i32> =
        offsets.iter().flat_map(|offset| [3000 + offset, 3001 + offset]).collect();
    assert_eq!(numbers.len(), 100);
    assert!(!numbers.contains(&3000) && !numbers.contains(&3001));
    let state = ledger(&sandbox);
    let left: Vec<_> = fs_err::read_dir(state.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 2, "the ledger and its lock: {left:?}");
}

#[test]
fn a_slot_that_does_not_fit_any_more() {
    let sandbox = bed();
    let git = repository(&sandbox);
    let one = git.worktree("one");
    let offset = first(&sandbox, &one);
    let (slot, taken) = (offset / 10, 3000 + offset);
    let registry = format!("{{ dev = {{ api = 3000; }}; other = {taken}; }}\n");
    fs_err::write(one.join("lib/ports.nix"), registry).unwrap();
    ports(&sandbox, &one, &["offset"]).code(2).stdout("").stderr(&format!(
        "ports: the slot {slot} of this worktree does not fit the registry: the offset {offset} moves \
         `dev.api` from 3000 to {taken}, which is `other` (lib/ports.nix:1:26)\n\
         hint: `ports offset --renew` takes another one; stop what still listens on the old ports before\n"
    ));
    let renewed = ports(&sandbox, &one, &["offset", "--renew"]).code(0);
    let other: i32 = renewed.stdout.trim().parse().unwrap();
    assert_ne!(other, offset);
    assert_eq!(known(&sandbox, &one), other);
    run(&sandbox, &one, &["offset", "--renew"])
        .env("PORTS_OFFSET", "7")
        .output()
        .code(2)
        .stdout("")
        .stderr(
            "ports: `PORTS_OFFSET` says the offset of this checkout, so there is no slot to renew\n\
             hint: unset it first\n",
        );
    // The primary checkout has nothing to renew.
    ports(&sandbox, &sandbox.work(), &["offset", "--renew"]).code(0).stdout("0\n").stderr("");
}

#[test]
fn no_slot_is_left() {
    let sandbox = bed();
    sandbox.write("lib/ports.nix", "{ calls = { from = 2000; to = 65000; }; }");
    let git = repository(&sandbox);
    let one = git.worktree("one");
    ports(&sandbox, &one, &["offset"]).code(2).stdout("").stderr(
        "ports: no slot is left for this worktree: 6553 were tried, 10 apart\n\
         hint: name in ports.toml what does not move: `[offset]`, `keep = […]`, or a smaller `step`\n",
    );
    assert!(!ledger(&sandbox).exists());
    // What does not move is in nobody's way.
    fs_err::write(one.join("lib/ports.toml"), "[offset]\nkeep = [\"calls\"]\nstep = 10000\n")
        .unwrap();
    let offset: i32 = ports(&sandbox, &one, &["offset"]).code(0).stdout.trim().parse().unwrap();
    assert!(offset > 0 && offset % 10_000 == 0);
}

#[test]
fn a_ledger_that_cannot_be_used() {
    let sandbox = bed();
    let git = repository(&sandbox);
    let one = git.worktree("one");
    let homeless = sandbox.run("env").args(["-u", "HOME", env!("CARGO_BIN_EXE_ports"), "offset"]);
    homeless.dir(&one).output().code(2).stdout("").stderr(
        "ports: a linked worktree needs a folder for its slot, and neither `XDG_STATE_HOME` nor `HOME` is set\n\
         hint: set `XDG_STATE_HOME` to a folder for it, or the offset itself by `PORTS_OFFSET`\n",
    );
    // A file where the folder should be.
    fs_err::create_dir_all(sandbox.home().join(".local")).unwrap();
    fs_err::write(sandbox.home().join(".local/state"), "").unwrap();
    let output = ports(&sandbox, &one, &["offset"]).code(2).stdout("");
    assert!(output.stderr.contains("the slots of worktrees: "), "{}", output.stderr);
    fs_err::remove_file(sandbox.home().join(".local/state")).unwrap();

    let offset = first(&sandbox, &one);
    let file = ledger(&sandbox);
    let good = fs_err::read_to_string(&file).unwrap();
    // To be read, it need not be written.
    let folder = file.parent().unwrap();
    fs_err::set_permissions(folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    assert_eq!(known(&sandbox, &one), offset);
    fs_err::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();

    fs_err::write(&file, "\0\u{1}garbage").unwrap();
    for args in [
        &["offset"][..],
        &["env", "--", "true"],
        &["export", "--format", "env", "--offset", "auto"],
    ] {
        ports(&sandbox, &one, args).code(2).stdout("").stderr(&format!(
            "ports: `{0}`:1: it is not a list of slots as this version writes it\n\
             hint: mend `{0}`, or remove it: worktrees get slots anew then; `PORTS_OFFSET` goes before the slot\n",
            file.display()
        ));
    }
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "\0\u{1}garbage");
    // Without it, the same path gets the same slot.
    fs_err::remove_file(&file).unwrap();
    assert_eq!(first(&sandbox, &one), offset);
    assert_eq!(fs_err::read_to_string(&file).unwrap(), good);
}

#[test]
fn a_worktree_without_its_repository() {
    let sandbox = bed();
    let git = repository(&sandbox);
    let one = git.worktree("one");
    fs_err::rename(sandbox.path(".git"), sandbox.path("elsewhere")).unwrap();
    ports(&sandbox, &one, &["offset"]).code(2).stdout("").stderr(&format!(
        "ports: `{0}/.git` names `{1}/.git/worktrees/one`, which is not there\n\
         hint: `git worktree repair`, run in the repository, mends it; `PORTS_OFFSET` goes before the slot\n",
        one.display(),
        sandbox.work().display()
    ));
    fs_err::write(one.join(".git"), "nonsense").unwrap();
    ports(&sandbox, &one, &["offset"])
        .code(2)
        .stdout("")
        .stderr(&format!("ports: `{}/.git` does not begin with `gitdir: `\n", one.display()));
}
