//! The index as git writes it, read back.

use std::path::Path;

use gitcmd::Git;
use testkit::Sandbox;

#[test]
fn what_is_staged_is_read_from_the_index_and_not_from_the_disk() {
    let sandbox = Sandbox::new();
    let repository = sandbox.git();
    for (name, text) in [("gone", "1\n"), ("kept", "2\n"), ("other", "3\n")] {
        sandbox.write(name, text);
    }
    repository.commit_all("first");
    drop(repository.ok(["rm", "--quiet", "gone"]));
    sandbox.write("kept", "staged\n");
    sandbox.write("new\nname", "");
    drop(repository.ok(["add", "--all"]));
    sandbox.write("kept", "on disk\n");

    let git = Git::around(&sandbox.work().join("below"));
    assert_eq!(git.root(), sandbox.work());
    let staged = git.staged().unwrap();
    let paths: Vec<&Path> = staged.iter().map(|file| file.path.as_path()).collect();
    assert_eq!(paths, [Path::new("kept"), Path::new("new\nname")]);

    let blobs: Vec<&str> = staged.iter().map(|file| file.blob.as_deref().unwrap()).collect();
    let mut contents = Vec::new();
    git.contents(&blobs, 7, |number, content| contents.push((number, content))).unwrap();
    assert_eq!(contents, [(0, Some(b"staged\n".to_vec())), (1, Some(Vec::new()))]);

    let mut beyond = Vec::new();
    git.contents(&blobs, 6, |_, content| beyond.push(content)).unwrap();
    assert_eq!(beyond, [None, Some(Vec::new())], "what is larger than the limit is not given");
    assert_eq!(git.files().unwrap().len(), 3);
}

#[test]
fn outside_of_a_repository_git_says_so() {
    let sandbox = Sandbox::new();
    let error = Git::around(&sandbox.work()).files().unwrap_err().to_string();
    assert!(error.contains("not a git repository"), "{error}");
}
