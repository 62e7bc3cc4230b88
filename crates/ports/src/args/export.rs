//! `ports export`.

use clap::{Args as ClapArgs, ValueEnum};
use portreg::{Glob, Template};

use super::OffsetBy;

/// Write the ports in the form that another program reads
///
/// A variable is named after its path: `infrastructure.nodeExporter` is
/// `INFRASTRUCTURE_NODE_EXPORTER_PORT`. A range has two, one for each of its ends. `direnv` also watches the
/// registry, and passes the offset on as `PORTS_OFFSET`.
///
/// Examples:
///   ports export --format dotenv > .env
///   ports export --format just > ports.just
///   eval "$(ports export --format shell --only databases --template '{NAME}_PORT')"
///
/// Exit codes: 0 done; 2 could not answer, an entry is no port, or two paths make one name.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct ExportArgs {
    /// The form
    #[arg(long, value_name = "FORM")]
    pub(crate) format: Format,

    /// Only paths that match; a group stands for all in it
    #[arg(long, value_name = "GLOB", value_parser = Glob::new)]
    pub(crate) only: Option<Glob>,

    /// Put before the name of every variable
    #[arg(long, value_name = "P", value_parser = prefix)]
    pub(crate) prefix: Option<String>,

    /// The name of a variable, from {PATH}, {GROUP} and {NAME} [default: {PATH}_PORT]
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) template: Option<Template>,

    /// Add N to the ports that move, or what this checkout has (auto) [default: `PORTS_OFFSET`, else 0]
    #[arg(long, value_name = "N|auto", allow_negative_numbers = true)]
    pub(crate) offset: Option<OffsetBy>,
}

/// A form to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Nested objects
    Json,
    /// Nested tables
    Toml,
    /// NAME=value, as `docker run --env-file` and systemd read it
    Env,
    /// NAME=value, quoted where needed
    Dotenv,
    /// export NAME=value
    Shell,
    /// set -gx NAME value
    Fish,
    /// What an .envrc evaluates
    Direnv,
    /// Exported variables of a justfile
    Just,
    /// Lines for /etc/services
    Services,
    /// A set of numbers
    Nix,
}

impl Format {
    /// The name as it is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
    }
}

/// The start of a variable's name.
pub(super) fn prefix(text: &str) -> Result<String, String> {
    let valid = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if valid {
        return Ok(text.to_owned());
    }
    Err("a name of a variable has letters, digits and `_`, and no digit first".to_owned())
}
