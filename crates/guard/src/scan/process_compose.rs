//! The command lines of a process-compose file.

use composefile::{FileId, Spanned};

use super::{Piece, ScanError, yaml_place};
use crate::shell::{Text, Word};

pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, ScanError> {
    let document = composefile::parse(text, FileId(0)).map_err(|error| ScanError::Parse {
        line: error.line,
        column: error.column,
        message: error.message,
    })?;
    let place_of = |spanned: &Spanned<String>| {
        let span = spanned.span;
        let written = text.get(span.start..span.end).unwrap_or_default();
        yaml_place(span.line, span.column, written, &spanned.value)
    };
    let text_of = |spanned: &Spanned<String>| {
        Piece::Text(Text { text: spanned.value.clone(), place: place_of(spanned) })
    };
    let mut pieces: Vec<Piece> =
        document.env_cmds.iter().map(|(_, command)| text_of(command)).collect();
    for (_, process) in &document.processes {
        pieces.extend(process.command_lines().map(text_of));
        let words = process.entrypoint.iter().map(|word| Word::of(&*word.value, place_of(word)));
        pieces.push(Piece::Words(words.collect()));
    }
    Ok(pieces)
}
