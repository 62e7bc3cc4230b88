//! guard and `ports lint` as hooks: of the pre-commit framework, by this repository's own entries, and of git itself.

use std::os::unix::fs::PermissionsExt as _;

use testkit::{Git, Output, Sandbox};

use crate::support;

/// Commits what is in the working directory; answers what the hooks said.
fn commit(git: &Git<'_>) -> Output {
    drop(git.ok(["add", "--all"]));
    git.run(["commit", "--quiet", "--message", "x"]).output()
}

/// Goes through what a team meets: a refusal, its repair, an old file that goes.
fn walk_through(sandbox: &Sandbox, git: &Git<'_>) {
    sandbox.write("lib/ports.nix", "{ api = 3000; }\n");
    sandbox.write("Dockerfile", "FROM x\n");
    sandbox.write("build.sh", "docker build .\nserve --port 3000\n");
    let refused = commit(git);
    let said = refused.stdout + &refused.stderr;
    assert_eq!(refused.code, 1, "{said}");
    for line in [
        "Dockerfile: deny dockerfile: ",
        "build.sh:1:1: deny docker-build: ",
        "2 refused",
        "build.sh:2:14: error L001: 3000 is `api`: use `ports get api`",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    drop(git.ok(["commit", "--quiet", "--no-verify", "--message", "in spite of it"]));
    fs_err::remove_file(sandbox.path("Dockerfile")).unwrap();
    sandbox.write("build.sh", "nix build .#image\nserve --port \"$(ports get api)\"\n");
    drop(commit(git).code(0));
}

#[test]
fn the_pre_commit_framework_runs_it() {
    let script = support::root().join("tests/real/get-pre-commit");
    let pre_commit = duct::cmd!(script).read().unwrap();
    let sandbox = support::bed();
    sandbox.link_program("pre-commit", pre_commit);

    // The repository that teams name in their configuration: this one's entry, committed.
    let hooks = support::bed();
    hooks.write(
        ".pre-commit-hooks.yaml",
        fs_err::read(support::root().join(".pre-commit-hooks.yaml")).unwrap(),
    );
    let entry = hooks.git();
    entry.commit_all("hooks");
    let revision = entry.ok(["rev-parse", "HEAD"]).stdout;

    let git = sandbox.git();
    let config = format!(
        "repos:\n  - repo: {}\n    rev: {}\n    hooks: [{{id: ports-lint}}, {{id: guard}}]\n",
        hooks.work().display(),
        revision.trim()
    );
    sandbox.write(".pre-commit-config.yaml", config);
    drop(sandbox.run("pre-commit").arg("install").output().code(0));
    drop(commit(&git).code(0));
    walk_through(&sandbox, &git);
    drop(sandbox.run("pre-commit").args(["run", "--all-files"]).output().code(0));
}

#[test]
fn git_runs_the_hook_of_this_repository() {
    let sandbox = support::bed();
    let git = sandbox.git();
    let hook = sandbox.write(
        ".githooks/pre-commit",
        fs_err::read(support::root().join(".githooks/pre-commit")).unwrap(),
    );
    fs_err::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(git.ok(["config", "core.hooksPath", ".githooks"]));
    drop(commit(&git).code(0));
    walk_through(&sandbox, &git);
}
