//! What git is asked: which files there are, which are staged, and what the index holds of them.
//!
//! `git` from PATH is run with the environment as it is: `GIT_INDEX_FILE` names the index that a `git commit -a` or
//! `-p` is about to write. What is asked never changes the repository.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// A question that git did not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Git could not be run.
    #[error("failed to run git")]
    Run(#[source] io::Error),
    /// Git said no.
    #[error("`git {command}` failed: {stderr}")]
    Failed {
        /// The subcommand.
        command: &'static str,
        /// What it said.
        stderr: String,
    },
    /// Git answered in a form that is not documented.
    #[error("`git {command}` answered something that is not understood")]
    Answer {
        /// The subcommand.
        command: &'static str,
    },
}

/// A file in the index that is not as in the last commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The path from the root of the repository.
    pub path: PathBuf,
    /// The name of its content; none for a submodule and a symbolic link.
    pub blob: Option<String>,
}

/// A repository, by its root.
#[derive(Debug)]
pub struct Git {
    root: PathBuf,
}

impl Git {
    /// The repository that a folder is in; git itself says so when there is none.
    pub fn around(folder: &Path) -> Self {
        let root = folder.ancestors().find(|above| above.join(".git").exists());
        Self { root: root.unwrap_or(folder).to_owned() }
    }

    /// The top of the work tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every file in the index.
    ///
    /// # Errors
    /// When git cannot be run or says no.
    pub fn files(&self) -> Result<Vec<PathBuf>, GitError> {
        let listed = self.ask("ls-files", &["-z", "--cached"])?;
        Ok(fields(&listed).map(PathBuf::from).collect())
    }

    /// Every file that is staged, what is deleted left out.
    ///
    /// # Errors
    /// When git cannot be run or says no.
    pub fn staged(&self) -> Result<Vec<Staged>, GitError> {
        const COMMAND: &str = "diff";
        const OPTIONS: [&str; 8] = [
            "--cached",
            "--raw",
            "-z",
            "--no-abbrev",
            // A rename is a file that is gone and one that is new; only the new one matters.
            "--no-renames",
            "--no-relative",
            "--ignore-submodules=none",
            "--diff-filter=ACMRT",
        ];
        if !self.root.join(".git").exists() {
            // `git diff` would take its options for those of another use.
            self.ask("rev-parse", &["--git-dir"])?;
        }
        let answer = self.ask(COMMAND, &OPTIONS)?;
        let mut fields = fields(&answer);
        let mut staged = Vec::new();
        while let Some(head) = fields.next() {
            let head = head.to_str().ok_or(GitError::Answer { command: COMMAND })?;
            let path = fields.next().ok_or(GitError::Answer { command: COMMAND })?;
            // `:100644 100755 OLD NEW M`
            let mut parts = head.trim_start_matches(':').split(' ').skip(1);
            let (mode, blob) = (parts.next(), parts.nth(1));
            let (Some(mode), Some(blob)) = (mode, blob) else {
                return Err(GitError::Answer { command: COMMAND });
            };
            let is_file = mode.starts_with("100");
            staged.push(Staged { path: path.into(), blob: is_file.then(|| blob.to_owned()) });
        }
        Ok(staged)
    }

    /// What blobs hold, in the order they are asked for; none for one that is larger than `limit`.
    ///
    /// # Errors
    /// When git cannot be run, or has no such blob.
    pub fn contents(
        &self,
        blobs: &[&str],
        limit: u64,
        mut see: impl FnMut(usize, Option<Vec<u8>>),
    ) -> Result<(), GitError> {
        const COMMAND: &str = "cat-file";
        if blobs.is_empty() {
            return Ok(());
        }
        let request: String = blobs.iter().flat_map(|blob| [*blob, "\n"]).collect();
        let expression = self.git(&[COMMAND, "--batch"]).stdin_bytes(request).unchecked();
        let mut answer = BufReader::new(expression.reader().map_err(GitError::Run)?);
        let mut head = String::new();
        for number in 0..blobs.len() {
            head.clear();
            answer.by_ref().take(200).read_line(&mut head).map_err(GitError::Run)?;
            // `NAME blob SIZE`
            let mut parts = head.trim_end().split(' ').skip(1);
            let (kind, size) =
                (parts.next(), parts.next().and_then(|size| size.parse::<u64>().ok()));
            let (Some("blob"), Some(size)) = (kind, size) else {
                return Err(GitError::Answer { command: COMMAND });
            };
            let mut content = Vec::new();
            let mut body = answer.by_ref().take(size + 1);
            if size <= limit {
                body.read_to_end(&mut content).map_err(GitError::Run)?;
            } else {
                io::copy(&mut body, &mut io::sink()).map_err(GitError::Run)?;
            }
            let is_whole = content.pop() == Some(b'\n') && content.len() as u64 == size;
            if size <= limit && !is_whole {
                return Err(GitError::Answer { command: COMMAND });
            }
            see(number, (size <= limit).then_some(content));
        }
        Ok(())
    }

    /// The first bytes of a blob, of whatever size.
    ///
    /// # Errors
    /// When git cannot be run, or has no such blob.
    pub fn head(&self, blob: &str, bytes: u64) -> Result<Vec<u8>, GitError> {
        let expression = self.git(&["cat-file", "blob", blob]).unchecked();
        let mut head = Vec::new();
        expression
            .reader()
            .map_err(GitError::Run)?
            .take(bytes)
            .read_to_end(&mut head)
            .map_err(GitError::Run)?;
        Ok(head)
    }

    fn git(&self, args: &[&str]) -> duct::Expression {
        duct::cmd("git", args.iter().map(OsStr::new)).dir(&self.root)
    }

    fn ask(&self, command: &'static str, options: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut args = vec![command];
        args.extend(options);
        let output = self
            .git(&args)
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .map_err(GitError::Run)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        // Of a usage that goes on for pages, the first line says what is wrong.
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stderr = stderr.trim().lines().take(3).collect::<Vec<_>>().join("; ");
        Err(GitError::Failed { command, stderr })
    }
}

/// The fields of an answer, each ended by NUL.
fn fields(answer: &[u8]) -> impl Iterator<Item = OsString> {
    let fields = answer.split(|&byte| byte == 0).filter(|field| !field.is_empty());
    fields.map(|field| OsString::from_vec(field.to_vec()))
}

/// Checks a revision of a repository out into an empty folder, without its `.git`.
///
/// What git is configured to do holds, `url.<base>.insteadOf` and credential helpers too.
///
/// # Errors
/// When git cannot be run, or has no such revision.
pub fn checkout(
    url: &str,
    rev: &str,
    folder: &Path,
    with_submodules: bool,
) -> Result<(), GitError> {
    let git = Git { root: folder.to_owned() };
    // A name that begins with a dash is an option to git.
    for name in [url, rev] {
        if name.starts_with('-') {
            let stderr = format!("`{name}` is no repository and no revision");
            return Err(GitError::Failed { command: "fetch", stderr });
        }
    }
    git.ask("init", &["--quiet"])?;
    // Servers may refuse to give a single revision; then everything is fetched.
    let alone = git.ask("fetch", &["--quiet", "--depth=1", "--no-tags", "--", url, rev]);
    if alone.is_err() {
        let all = ["+refs/heads/*:refs/heads/fetched/*", "+refs/tags/*:refs/tags/*"];
        git.ask("fetch", &[&["--quiet", "--", url][..], &all].concat())?;
        git.ask("checkout", &["--quiet", "--detach", rev])?;
    } else {
        git.ask("checkout", &["--quiet", "--detach", "FETCH_HEAD"])?;
    }
    if with_submodules && folder.join(".gitmodules").exists() {
        git.ask("submodule", &["--quiet", "update", "--init", "--recursive"])?;
    }
    remove_git(folder).map_err(GitError::Run)
}

/// Removes every `.git` below a folder: a repository's own, and those of its submodules.
fn remove_git(folder: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        match (entry.file_name() == ".git", is_folder) {
            (true, true) => fs_err::remove_dir_all(entry.path())?,
            (true, false) => fs_err::remove_file(entry.path())?,
            (false, true) => remove_git(&entry.path())?,
            (false, false) => {}
        }
    }
    Ok(())
}
