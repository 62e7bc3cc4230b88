//! A place of its own for a test: empty environment, own home, own temporary folder, own programs.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Git, Run};

/// Where the system's own programs are: coreutils, bash, git.
const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// A temporary folder with `home`, `tmp`, `bin` (first on PATH) and `work` (the working directory).
///
/// It is removed when dropped. Programs run in it see nothing of the caller's environment.
#[derive(Debug)]
pub struct Sandbox {
    root: TempDir,
    system_path: OsString,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// Makes an empty one, with the system's programs behind its own.
    pub fn new() -> Self {
        Self::with_path(SYSTEM_PATH)
    }

    /// Makes one in which only the programs that the test puts there are found.
    pub fn without_programs() -> Self {
        Self::with_path("")
    }

    fn with_path(system_path: &str) -> Self {
        // macOS hands out a symlink; paths in messages must compare equal.
        let temporary = fs_err::canonicalize(std::env::temp_dir()).unwrap();
        let root = tempfile::Builder::new().prefix("likewise-").tempdir_in(temporary).unwrap();
        for folder in ["home", "tmp", "bin", "work"] {
            fs_err::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root, system_path: system_path.into() }
    }

    /// The folder that holds all the others.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// `$HOME`.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// `$TMPDIR`: what a killed program left behind is found here.
    pub fn tmp(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    /// The working directory.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// A path below the working directory.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.work().join(relative)
    }

    /// Writes a file below the working directory, with its folders.
    pub fn write(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, content).unwrap();
        path
    }

    /// Reads a text file below the working directory.
    pub fn read(&self, relative: impl AsRef<Path>) -> String {
        fs_err::read_to_string(self.path(relative)).unwrap()
    }

    /// Puts a fake program on PATH: a shell script, without its `#!` line.
    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.root.path().join("bin").join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Puts a real program on PATH, under a name of the test's choice.
    pub fn link_program(&self, name: &str, target: impl AsRef<Path>) -> PathBuf {
        let path = self.root.path().join("bin").join(name);
        symlink(target, &path).unwrap();
        path
    }

    /// Prepares a run of a program: a name on PATH, or a path.
    pub fn run(&self, program: impl AsRef<OsStr>) -> Run {
        let mut path = self.root.path().join("bin").into_os_string();
        if !self.system_path.is_empty() {
            path.push(":");
            path.push(&self.system_path);
        }
        Run::new(find(program.as_ref(), &path), self.work())
            .env("HOME", self.home())
            .env("TMPDIR", self.tmp())
            .env("PATH", path)
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
    }

    /// Prepares a run of a bash script, in which a failing part of a pipe fails the pipe.
    pub fn bash(&self, script: &str) -> Run {
        self.run("/bin/bash").args(["-o", "pipefail", "-c", script])
    }

    /// Makes a git repository of the working directory.
    pub fn git(&self) -> Git<'_> {
        Git::init(self)
    }
}

/// Looks a bare name up in the sandbox's own PATH, which is not the one of the test.
fn find(program: &OsStr, path: &OsStr) -> OsString {
    if program.as_encoded_bytes().contains(&b'/') {
        return program.to_owned();
    }
    let mut candidates = std::env::split_paths(path).map(|folder| folder.join(program));
    let found = candidates.find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| panic!("no `{}` in {}", program.display(), path.display())).into()
}

/// Ends the test unless a real program is there; `install` is the command that brings it.
pub fn require(program: &str, install: &str) -> PathBuf {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&inherited).chain(std::env::split_paths(SYSTEM_PATH));
    let found = folders.map(|folder| folder.join(program)).find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| panic!("this test needs `{program}`: {install}"))
}
