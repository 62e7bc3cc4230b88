//! What is made from a command line: completions for shells, and man pages.
//!
//! A tool with subcommands takes both as two of them: `Completions(cli::CompletionsArgs)` and `Man(cli::ManArgs)`, which
//! call `write` with its `command()`.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command};

use crate::{Exit, Io, StdoutError};

/// Print completions for a shell
///
/// Examples:
///   source <(ports completions bash)
///   ports completions fish > ~/.config/fish/completions/ports.fish
///   ports completions zsh > ~/.zfunc/_ports
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// Print the manual page
///
/// Examples:
///   man -l <(ports man)
///   ports man --dir ~/.local/share/man/man1
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct ManArgs {
    /// Write the page of the tool, and one for each of its commands, into this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Something could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// Stdout could not be written.
    #[error(transparent)]
    Stdout(#[from] StdoutError),
    /// A page could not be made or written.
    #[error("failed to write the manual page `{page}`")]
    Page {
        /// Its name.
        page: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl CompletionsArgs {
    /// Prints the completions of a tool.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn write(&self, command: Command, io: &mut Io) -> Result<Exit, GenerateError> {
        let mut command = command;
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        io.out.bytes(&script)?;
        Ok(Exit::Done)
    }
}

impl ManArgs {
    /// Prints the page of a tool, or writes all pages and prints their paths.
    ///
    /// # Errors
    /// When stdout or a page cannot be written.
    pub fn write(&self, command: Command, io: &mut Io) -> Result<Exit, GenerateError> {
        let Some(dir) = &self.dir else {
            io.out.bytes(&page(command)?.1)?;
            return Ok(Exit::Done);
        };
        let mut pages = Vec::new();
        // A built command knows the full names of its subcommands: `ports-get`.
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let mut rest = vec![command];
        while let Some(command) = rest.pop() {
            rest.extend(command.get_subcommands().filter(|one| !one.is_hide_set()).cloned());
            pages.push(page(command)?);
        }
        pages.sort();
        for (name, text) in pages {
            let path = dir.join(&name);
            fs_err::create_dir_all(dir)
                .and_then(|()| fs_err::write(&path, text))
                .map_err(|source| GenerateError::Page { page: name, source })?;
            crate::outln!(io, "{}", path.display())?;
        }
        Ok(Exit::Done)
    }
}

/// The name and the text of a command's page.
fn page(command: Command) -> Result<(String, Vec<u8>), GenerateError> {
    let page = clap_mangen::Man::new(command);
    let name = page.get_filename();
    let mut text = Vec::new();
    match page.render(&mut text) {
        Ok(()) => Ok((name, text)),
        Err(source) => Err(GenerateError::Page { page: name, source }),
    }
}
