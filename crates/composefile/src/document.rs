//! What one file says.

use crate::Spanned;

/// One file, before it is merged with others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The processes in the order of the file; none when the file has no `processes` at all.
    pub processes: Vec<(Spanned<String>, Process)>,
    /// Whether the file has the key `processes`: a Docker Compose file of the same name has `services`.
    pub has_processes: bool,
    /// Variables whose values are what a command prints.
    pub env_cmds: Vec<(Spanned<String>, Spanned<String>)>,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// The command line that the shell runs.
    pub command: Option<Spanned<String>>,
    /// The argument vector that is run without a shell.
    pub entrypoint: Vec<Spanned<String>>,
    /// The folder it runs in.
    pub working_dir: Option<Spanned<String>>,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// Whether it can serve.
    pub readiness_probe: Probe,
    /// Whether it still lives.
    pub liveness_probe: Probe,
}

/// How a process is stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shutdown {
    /// The command line that stops it.
    pub command: Option<Spanned<String>>,
}

/// A probe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// The probe is a command.
    pub exec: Exec,
}

/// A probe's command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exec {
    /// The command line whose success is the answer.
    pub command: Option<Spanned<String>>,
}

impl Process {
    /// Every command line that a shell runs for this process: its own, its stop, its probes.
    pub fn command_lines(&self) -> impl Iterator<Item = &Spanned<String>> {
        [
            &self.command,
            &self.shutdown.command,
            &self.readiness_probe.exec.command,
            &self.liveness_probe.exec.command,
        ]
        .into_iter()
        .flatten()
    }

    /// Takes over what a later file says: a value that is empty says nothing, lists grow.
    pub(crate) fn merge(&mut self, later: Self) {
        replace(&mut self.command, later.command);
        self.entrypoint.extend(later.entrypoint);
        replace(&mut self.working_dir, later.working_dir);
        replace(&mut self.shutdown.command, later.shutdown.command);
        replace(&mut self.readiness_probe.exec.command, later.readiness_probe.exec.command);
        replace(&mut self.liveness_probe.exec.command, later.liveness_probe.exec.command);
    }
}

fn replace(earlier: &mut Option<Spanned<String>>, later: Option<Spanned<String>>) {
    if later.as_ref().is_some_and(|later| !later.value.is_empty()) {
        *earlier = later;
    }
}
