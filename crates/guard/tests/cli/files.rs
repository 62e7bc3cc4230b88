//! Files: named, staged, all of them.

use std::os::unix::fs::symlink;

use testkit::Sandbox;

use crate::guard;

#[test]
fn a_name_is_enough() {
    let sandbox = Sandbox::new();
    for (path, rule) in [
        ("Dockerfile", "dockerfile"),
        ("web/Dockerfile.dev", "dockerfile"),
        ("web/api.Dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        (".dockerignore", "dockerignore"),
        ("docker-compose.yml", "docker-compose-file"),
        ("a/docker-compose.yaml", "docker-compose-file"),
    ] {
        sandbox.write(path, "x\n");
        let output = guard(&sandbox, ["files", path]).output();
        assert_eq!((output.code, &*output.stderr), (1, "1 refused: 1 file judged\n"), "{path}");
        assert!(output.stdout.starts_with(&format!("{path}: deny {rule}: `")), "{}", output.stdout);
    }
    for path in ["README.md", "dockerfile.md", "vendor/x/Dockerfile", "d/compose.yaml"] {
        sandbox.write(path, "docker build .\n");
        guard(&sandbox, ["files", path]).output().code(0).stdout("").stderr("");
    }
}

#[test]
fn a_compose_file_is_refused_only_beside_a_dockerfile() {
    let sandbox = Sandbox::new();
    sandbox.write("a/compose.yaml", "services: {}\n");
    sandbox.write("a/api.Dockerfile", "");
    sandbox.write("b/compose.yml", "services: {}\n");
    sandbox.write("c/compose.yaml", "processes: {x: {command: y}}\n");
    sandbox.write("c/Dockerfile", "");
    let output =
        guard(&sandbox, ["files", "a/compose.yaml", "b/compose.yml", "c/compose.yaml"]).output();
    assert_eq!(output.code, 1);
    assert!(output.stdout.starts_with("a/compose.yaml: deny compose-file: "), "{}", output.stdout);
    assert_eq!(output.stdout.lines().count(), 1);
    let code = |text: &str| guard(&sandbox, ["command", "--", text]).output().code;
    assert_eq!([code("touch a/compose.yml"), code("touch b/compose.yaml")], [1, 0]);
}

#[test]
fn what_is_staged_is_read_from_the_index() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("Dockerfile", "FROM x\n");
    sandbox.write("keep.sh", "docker build .\n");
    git.commit_all("old");
    let staged = || guard(&sandbox, ["files", "--staged"]).output();
    assert_eq!(staged().code, 0);
    // What was there and is not touched is no business of this commit; what goes passes.
    drop(git.ok(["rm", "--quiet", "Dockerfile"]));
    staged().code(0).stdout("").stderr("");
    // The index holds one thing, the disk another.
    sandbox.write("build.sh", "set -e\ndocker build .\n");
    drop(git.ok(["add", "build.sh"]));
    sandbox.write("build.sh", "nix build\n");
    sandbox.write("untracked.sh", "docker build .\n");
    let output = staged().code(1);
    assert!(output.stdout.starts_with("build.sh:2:1: deny docker-build: "), "{}", output.stdout);
    assert_eq!(output.stderr, "1 refused: 1 file judged\n");
    drop(git.ok(["add", "build.sh"]));
    sandbox.write("build.sh", "docker build .\n");
    staged().code(0).stdout("").stderr("");
}

#[test]
fn a_rename_is_a_new_file_and_a_mode_is_nothing() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("a.txt", "FROM x\n");
    sandbox.write("ü \"q\"\n.sh", "docker build .\n");
    git.commit_all("old");
    drop(git.ok(["mv", "a.txt", "Dockerfile"]));
    drop(git.ok(["mv", "ü \"q\"\n.sh", "é\t.sh"]));
    let output = guard(&sandbox, ["files", "--staged"]).output().code(1);
    let files: Vec<&str> =
        output.stdout.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(files, ["Dockerfile", "é .sh"]);
}

#[test]
fn the_first_commit_links_and_submodules() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    symlink("/etc/passwd", sandbox.path("link.sh")).unwrap();
    symlink("elsewhere", sandbox.path("Containerfile")).unwrap();
    sandbox.write("sub/x", "");
    let sub = sandbox.path("sub");
    drop(sandbox.run("git").args(["init", "-q"]).dir(&sub).output().code(0));
    drop(git.run(["-C", "sub", "commit", "-q", "--allow-empty", "-m", "x"]).output().code(0));
    drop(git.run(["add", "--all"]).output().code(0));
    for selection in ["--staged", "--all"] {
        let output = guard(&sandbox, ["files", selection]).output().code(1);
        assert!(output.stdout.starts_with("Containerfile: deny dockerfile: "), "{}", output.stdout);
        assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    }
}

#[test]
fn a_staged_compose_file_knows_its_neighbours_in_the_index() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("a/Dockerfile", "");
    git.commit_all("old");
    sandbox.write("a/compose.yaml", "services: {}\n");
    drop(git.ok(["add", "a/compose.yaml"]));
    assert_eq!(guard(&sandbox, ["files", "--staged"]).output().code, 1);
    drop(git.ok(["rm", "--quiet", "a/Dockerfile"]));
    sandbox.write("a/Dockerfile", "on disk only");
    assert_eq!(guard(&sandbox, ["files", "--staged"]).output().code, 0);
}

#[test]
fn all_is_what_git_knows() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("a/b.sh", "docker build .\n");
    sandbox.write("a/Dockerfile", "");
    sandbox.write("gone.sh", "docker build .\n");
    sandbox.write("clean/x", "");
    git.commit_all("all");
    fs_err::remove_file(sandbox.path("gone.sh")).unwrap();
    sandbox.write("untracked/Dockerfile", "");
    let output = guard(&sandbox, ["files", "--all"]).output().code(1);
    let files: Vec<&str> =
        output.stdout.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(files, ["a/Dockerfile", "a/b.sh:1:1"]);
    // From a folder within, the same files.
    let within = guard(&sandbox, ["files", "--all"]).dir(sandbox.path("clean")).output().code(1);
    assert_eq!(within.stdout, output.stdout);
    let github = guard(&sandbox, ["files", "--all", "--format", "github"]).output().code(1);
    assert!(
        github.stdout.contains(
            "::error file=a/b.sh,line=1,col=1,title=guard%3A docker-build::`docker build`: "
        ),
        "{}",
        github.stdout
    );
    assert!(github.stdout.starts_with("::error file=a/Dockerfile,title="), "{}", github.stdout);
}

#[test]
fn a_linked_worktree_is_a_repository() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("x", "");
    git.commit_all("old");
    let other = git.worktree("other");
    fs_err::write(other.join("Dockerfile"), "").unwrap();
    drop(git.run(["add", "--all"]).dir(&other).output().code(0));
    assert_eq!(guard(&sandbox, ["files", "--staged"]).dir(&other).output().code, 1);
    assert_eq!(guard(&sandbox, ["files", "--staged"]).output().code, 0);
}

#[test]
fn an_excuse_needs_the_rule_and_a_reason() {
    let sandbox = Sandbox::new();
    let check = |path: &str, text: &str| {
        sandbox.write(path, text);
        let output = guard(&sandbox, ["files", path]).output();
        (output.code, output.stderr)
    };
    let clean = (0, String::new());
    assert_eq!(check("a.sh", "docker build . # guard:allow docker-build the base image\n"), clean);
    assert_eq!(check("a.sh", "# guard:allow docker-build the base image\ndocker build .\n"), clean);
    assert_eq!(check("Dockerfile", "FROM x\n# guard:allow dockerfile the vendor's\n"), clean);
    assert_eq!(check("a.sh", "# guard:allow dev-server no\ndocker build .\n").0, 1);
    assert_eq!(check("a.sh", "true # guard:allow docker-build x\ndocker build .\n").0, 1);
    assert_eq!(check("a.sh", "# guard:allow docker-build x\n\ndocker build .\n").0, 1);
    assert_eq!(
        check("a.sh", "docker build . # guard:allow docker-build\n"),
        (
            1,
            "guard: warning: a.sh:1: `guard:allow` gives no reason, so it allows nothing\n\
             1 refused: 1 file judged\n"
                .to_owned()
        )
    );
}

#[test]
fn what_cannot_be_judged_is_told_and_the_rest_is_judged() {
    let sandbox = Sandbox::new();
    sandbox.write("package.json", "{\n");
    sandbox.write("process-compose.yaml", "processes:\n  a: [\n");
    sandbox.write("folder/x", "");
    sandbox.write("Dockerfile", "");
    let path = |name: &str| sandbox.path(name).display().to_string();
    let output = guard(
        &sandbox,
        ["files", "-q", "package.json", "process-compose.yaml", "folder", "none.sh", "Dockerfile"],
    )
    .output()
    .code(2);
    assert!(output.stdout.starts_with("Dockerfile: deny dockerfile: "), "{}", output.stdout);
    output.stderr(&format!(
        "guard: failed to judge `{}`: 2:0: EOF while parsing an object\n\
         hint: mend the file, or leave it out with `exclude` in guard.toml\n\
         guard: failed to judge `{}`: 2:6: [..]\n\
         hint: mend the file, or leave it out with `exclude` in guard.toml\n\
         guard: `{}` is a folder\n\
         hint: name files, or judge everything with `--all`\n\
         guard: failed to read a file: [..]`{}`: No such file or directory (os error 2)\n",
        path("package.json"),
        path("process-compose.yaml"),
        path("folder"),
        path("none.sh"),
    ));
}

#[test]
fn without_git_and_without_a_repository() {
    let sandbox = Sandbox::without_programs();
    guard(&sandbox, ["files", "--all"])
        .output()
        .code(2)
        .stdout("")
        .stderr("guard: failed to run git: [..]\nhint: install git, or name the files\n");
    let sandbox = Sandbox::new();
    for which in ["--staged", "--all"] {
        let output = guard(&sandbox, ["files", which]).output();
        let said = "guard: `git [..]` failed: fatal: not a git repository (or any of the parent directories): .git\n";
        output.code(2).stdout("").stderr(said);
    }
}

#[test]
fn a_selection_is_needed_and_one_only() {
    let sandbox = Sandbox::new();
    assert_eq!(guard(&sandbox, ["files"]).output().code, 2);
    assert_eq!(guard(&sandbox, ["files", "--all", "--staged"]).output().code, 2);
    assert_eq!(guard(&sandbox, ["files", "--all", "x"]).output().code, 2);
    let help = guard(&sandbox, []).output();
    assert_eq!((help.code, &*help.stdout), (2, ""));
    assert_eq!(guard(&sandbox, ["files", "--help"]).output().code, 0);
}
