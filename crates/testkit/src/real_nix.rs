//! Real Nix of several versions, with a store in the sandbox, offline.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Run, Sandbox};

/// The programs of Nix that are put on PATH.
const PROGRAMS: [&str; 6] =
    ["nix", "nix-build", "nix-hash", "nix-instantiate", "nix-prefetch-url", "nix-store"];

/// No daemon, no sandbox of builds, no network, and the new command switched on as most people have it.
const CONFIGURATION: &str = "sandbox = false\nbuild-users-group =\nexperimental-features = nix-command flakes\n\
                             substituters =\nflake-registry =\n";

/// A Debian suite that has a Nix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Nix 2.8, the oldest that is supported.
    Bookworm,
    /// Nix 2.26.
    Trixie,
    /// Nix 2.34.
    Forky,
}

impl Suite {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::Bookworm, Self::Trixie, Self::Forky];

    /// Gives the suite's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
            Self::Forky => "forky",
        }
    }
}

/// A real Nix on the PATH of a sandbox. Its store is in the sandbox too, and it asks nobody for anything.
#[derive(Debug)]
pub struct RealNix<'s> {
    sandbox: &'s Sandbox,
    bin: PathBuf,
}

impl<'s> RealNix<'s> {
    /// Puts the Nix of a suite on the sandbox's PATH, in the place of one that was there before. The store stays, so
    /// that a newer Nix can read what an older one built.
    ///
    /// # Panics
    /// When `tests/real/get-nix` cannot bring it.
    pub fn install(sandbox: &'s Sandbox, suite: Suite) -> Self {
        let bin = get(suite);
        let state = sandbox.root().join("nix");
        for folder in ["store", "var", "log", "local", "conf", "cache", "config"] {
            fs_err::create_dir_all(state.join(folder)).unwrap();
        }
        fs_err::write(state.join("conf/nix.conf"), CONFIGURATION).unwrap();
        for program in PROGRAMS {
            sandbox.program(program, &wrapper(sandbox, &state, &bin.join(program)));
        }
        Self { sandbox, bin }
    }

    /// The folder with the programs themselves, which know of no sandbox.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        self.sandbox.root().join("nix/store")
    }

    /// Prepares a run of one of its programs.
    pub fn run<'a>(&self, program: &str, args: impl IntoIterator<Item = &'a str>) -> Run {
        self.sandbox.run(program).args(args)
    }

    /// Runs one of its programs, which must succeed, and gives its stdout.
    #[track_caller]
    pub fn ok<'a>(&self, program: &str, args: impl IntoIterator<Item = &'a str>) -> String {
        self.run(program, args).output().code(0).stdout
    }

    /// Builds an expression and gives the paths of its outputs.
    #[track_caller]
    pub fn build(&self, expression: &str) -> Vec<String> {
        let printed = self.ok("nix-build", ["--no-out-link", "-E", expression]);
        printed.lines().map(str::to_owned).collect()
    }

    /// Builds a graph of so many paths below one root, of files and trees, some of which refer to themselves, and gives
    /// the root.
    #[track_caller]
    pub fn build_graph(&self, paths: usize) -> String {
        let built = self.build(&graph_expression(paths));
        built.into_iter().next().unwrap()
    }
}

impl Drop for RealNix<'_> {
    /// Lets the sandbox remove the store, which is read-only as stores are.
    fn drop(&mut self) {
        drop(Command::new("chmod").arg("-R").arg("u+w").arg(self.store()).status());
    }
}

/// Writes an expression whose root refers to `paths - 1` others, by way of one another.
///
/// ```
/// assert!(testkit::graph_expression(3).contains("p2"));
/// ```
pub fn graph_expression(paths: usize) -> String {
    let mut text = String::from(
        "let mk = name: refs: script: derivation {\n  inherit name refs;\n  system = builtins.currentSystem;\n  \
         builder = \"/bin/sh\";\n  PATH = \"/usr/bin:/bin\";\n  args = [ \"-ec\" script ];\n};\n",
    );
    for path in 0..paths {
        // Two earlier ones, spread out; the last takes all that nothing else may have taken.
        let refs: Vec<usize> =
            if path + 1 == paths { (0..path).collect() } else { near(path).collect() };
        let refs = refs.iter().fold(String::new(), |refs, other| refs + &format!(" p{other}"));
        let script = match path % 3 {
            0 => "echo $refs > $out",
            1 => {
                "mkdir -p $out/bin; echo $refs > $out/refs; echo 'echo hi' > $out/bin/run; chmod +x $out/bin/run"
            }
            _ => {
                "mkdir $out; ln -s $out/self $out/link; echo $out $refs > $out/self; mkdir $out/empty"
            }
        };
        writeln!(text, "p{path} = mk \"p{path}-1.{path}\" [{refs} ] ''{script}'';").unwrap();
    }
    write!(text, "in p{}", paths.saturating_sub(1)).unwrap();
    text
}

/// Names the two paths that a path in the middle refers to.
fn near(path: usize) -> impl Iterator<Item = usize> {
    [path / 2, path.wrapping_sub(1)].into_iter().filter(move |other| *other < path)
}

/// Makes a program see its own store and nothing else, whoever starts it.
fn wrapper(sandbox: &Sandbox, state: &Path, program: &Path) -> String {
    let state = state.display();
    let home = sandbox.home();
    format!(
        "export NIX_STORE_DIR='{state}/store' NIX_STATE_DIR='{state}/var' NIX_LOG_DIR='{state}/log'\n\
         export NIX_LOCALSTATE_DIR='{state}/local' NIX_CONF_DIR='{state}/conf' NIX_REMOTE=local\n\
         export XDG_CACHE_HOME='{state}/cache' XDG_CONFIG_HOME='{state}/config' HOME='{home}'\n\
         unset NIX_USER_CONF_FILES NIX_PATH NIX_CONFIG\n\
         exec '{program}' \"$@\"",
        home = home.display(),
        program = program.display(),
    )
}

/// Asks the script for a Nix; it keeps what it fetched in the user's own cache.
fn get(suite: Suite) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/real/get-nix");
    let output = Command::new(&script).arg(suite.name()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {}\n{stderr}", script.display(), suite.name());
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}
