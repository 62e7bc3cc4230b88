//! `ports add`, `ports set` and `ports rm`.

use std::str::FromStr;

use clap::Args as ClapArgs;
use portreg::PortPath;

/// Put a port into the registry
///
/// The file is edited in place: the new line takes over indentation and spelling from its neighbours, and all else stays
/// as it is, byte for byte. `auto` takes the number that `ports next` gives for the group. A group that is not there
/// yet is written with a dot. The number is printed.
///
/// Examples:
///   ports add development.docs
///   ports add databases.mysql 3306 --comment 'only for the import'
///   ports add web.admin 8081 --dry-run | git apply
///
/// Exit codes: 0 done; 1 the path or the number is taken; 2 could not do it.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct AddArgs {
    /// Where in the registry
    #[arg(value_name = "PATH")]
    pub(crate) path: PortPath,

    /// Its number
    #[arg(value_name = "PORT|auto", default_value = "auto")]
    pub(crate) port: Choice,

    /// What it is for; a comment behind it
    #[arg(long, value_name = "TEXT", value_parser = comment)]
    pub(crate) comment: Option<String>,

    /// Print what would change, as a unified diff
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

/// Give a port of the registry another number
///
/// The number in the file is replaced, and nothing else. A value that is computed has no number to replace.
///
/// Examples:
///   ports set databases.redis 6380
///   ports set calls.media.to 50200
///
/// Exit codes: 0 done; 1 there is no such port, or the number is taken; 2 could not do it.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct SetArgs {
    /// The port
    #[arg(value_name = "PATH")]
    pub(crate) path: PortPath,

    /// Its number from now on
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,

    /// Let aliases of it, and what is computed from it, change too
    #[arg(long)]
    pub(crate) follow: bool,

    /// Print what would change, as a unified diff
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

/// Take a port out of the registry
///
/// Its line goes, with the comment behind it. The number that is free again is printed.
///
/// Examples:
///   ports rm development.docs
///
/// Exit codes: 0 done; 1 there is no such port; 2 could not do it.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct RmArgs {
    /// The port
    #[arg(value_name = "PATH")]
    pub(crate) path: PortPath,

    /// Print what would change, as a unified diff
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

/// A number, or any that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Auto,
    Number(u16),
}

impl FromStr for Choice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(number) if number > 0 => Ok(Self::Number(number)),
            _ => Err("it must be a number from 1 to 65535, or `auto`"),
        }
    }
}

/// One line of words.
fn comment(text: &str) -> Result<String, &'static str> {
    let words = text.trim();
    if words.is_empty() {
        return Err("it is empty");
    }
    if words.chars().any(char::is_control) {
        return Err("it must be one line, without control characters");
    }
    Ok(words.to_owned())
}
