//! What of a project is wanted: flags and variables together.

use std::ffi::OsStr;
use std::path::PathBuf;

use cli::{Env, Var};

use super::args::ProjectArgs;

/// Which project, and which part of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// The files; none: those that are found.
    pub(crate) files: Vec<PathBuf>,
    /// Files with variables; none: `.env`, if it is there.
    pub(crate) env_files: Vec<PathBuf>,
    /// Whether those are read.
    pub(crate) reads_dotenv: bool,
    /// The namespaces; none: all.
    pub(crate) namespaces: Vec<String>,
    /// The processes; none: all that are not disabled.
    pub(crate) names: Vec<String>,
    /// Whether what those depend on runs, too.
    pub(crate) no_deps: bool,
    /// Whether mistakes are errors whatever the files say.
    pub(crate) is_strict: bool,
    /// Processes that are not started.
    pub(crate) disabled: Vec<String>,
    /// The shell, where the files name none.
    pub(crate) shell: Option<String>,
    /// The level of the manager's log, over that of the files.
    pub(crate) log_level: Option<String>,
    /// The port registry; none: the one that is found.
    pub(crate) ports_file: Option<PathBuf>,
    /// The offset; none: that of this checkout.
    pub(crate) offset: Option<i32>,
    /// Whether a worktree that has no slot gets one.
    pub(crate) takes_slot: bool,
    /// Whether the command lines of `env_cmds` are run.
    pub(crate) runs_commands: bool,
}

impl Request {
    /// What was typed, and what the variables add.
    pub(crate) fn of(args: &ProjectArgs, env: &Env) -> Self {
        let text = |var| env.get(var).map(|value| value.to_string_lossy().into_owned());
        let list = |var| env.get(var).map_or_else(Vec::new, commas);
        let files = match args.files.as_slice() {
            [] => list(Var::PcConfigFiles).into_iter().map(PathBuf::from).collect(),
            files => files.to_vec(),
        };
        let namespaces = match args.namespaces.as_slice() {
            [] => list(Var::PcNamespaces),
            namespaces => namespaces.to_vec(),
        };
        Self {
            files,
            env_files: args.env.clone(),
            reads_dotenv: !args.disable_dotenv.unwrap_or(env.is_set(Var::PcDisableDotenv)),
            namespaces,
            disabled: list(Var::PcDisabledProcesses),
            shell: text(Var::ComposeShell),
            log_level: text(Var::PcLogLevel),
            ports_file: args
                .ports_file
                .clone()
                .or_else(|| env.get(Var::PortsFile).map(PathBuf::from)),
            offset: args.offset,
            ..Self::default()
        }
    }
}

fn commas(text: &OsStr) -> Vec<String> {
    let text = text.to_string_lossy();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
