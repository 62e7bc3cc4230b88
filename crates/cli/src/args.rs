//! The flags that every tool has.

use clap::{ArgAction, Args};

use crate::ColorChoice;

/// Flags with the same meaning in every tool; flatten this into the tool's arguments.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct CommonArgs {
    /// Say nothing on stderr but errors and warnings
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more on stderr; twice for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = false
    )]
    pub color: ColorChoice,
}

impl CommonArgs {
    pub(crate) fn verbosity(&self) -> i8 {
        if self.quiet { -1 } else { i8::try_from(self.verbose).unwrap_or(i8::MAX) }
    }
}

/// Arguments that carry the common flags.
pub trait Common {
    /// The flattened common flags.
    fn common(&self) -> &CommonArgs;
}
