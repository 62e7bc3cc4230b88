//! What a text must have for a port to be in it, looked for at the speed of memory: most texts have it not.

use memchr::memchr_iter;
use memchr::memmem;

use super::page::numbers;

/// How far before a number of Nix its attribute is looked for.
const FARTHEST: usize = 2_000;

/// Whether a text may have a port in it: the word stands there, a colon before a number, or a flag.
pub(super) fn may_hold(bytes: &[u8]) -> bool {
    has_word(bytes) || has_number_behind_colon(bytes) || has_flag(bytes)
}

/// The same of Nix, which costs more to look at: a number must have the word before it in its binding.
pub(super) fn may_hold_in_nix(bytes: &[u8]) -> bool {
    if has_number_behind_colon(bytes) || has_flag(bytes) {
        return true;
    }
    // The ends of a range are bindings of their own.
    has_word(bytes) && (memmem::find(bytes, b"ange").is_some() || has_number_of_port(bytes))
}

fn has_flag(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| memmem::find(bytes, word).is_some();
    let is_flag = |at: usize| bytes.get(at + 2).is_none_or(|next| !next.is_ascii_alphabetic());
    memmem::find_iter(bytes, b"-p").any(is_flag)
        || memmem::find_iter(bytes, b"-P").any(is_flag)
        || has(b"--publish")
        || has(b"/tcp\"")
        || has(b"/udp\"")
        || has(b"/sctp\"")
}

fn has_number_behind_colon(bytes: &[u8]) -> bool {
    memchr_iter(b':', bytes).any(|at| bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
}

/// Whether `port`, `xPort`, `PORT` or one of their plurals is there as a word.
fn has_word(bytes: &[u8]) -> bool {
    let small = memmem::find_iter(bytes, b"ort").any(|at| {
        let before = &bytes[..at];
        // `Port` is a word wherever it stands, `port` is not in `import`.
        let starts = before.ends_with(b"P")
            || before
                .strip_suffix(b"p")
                .is_some_and(|before| before.last().is_none_or(|byte| !byte.is_ascii_alphabetic()));
        starts && ends(&bytes[at + 3..], b's', u8::is_ascii_lowercase)
    });
    small
        || memmem::find_iter(bytes, b"PORT").any(|at| {
            bytes[..at].last().is_none_or(|byte| !byte.is_ascii_uppercase())
                && ends(&bytes[at + 4..], b'S', u8::is_ascii_uppercase)
        })
}

/// Whether a word ends before this, or with one more letter.
fn ends(after: &[u8], plural: u8, is_letter: fn(&u8) -> bool) -> bool {
    match after {
        [letter, rest @ ..] if *letter == plural => {
            rest.first().is_none_or(|byte| !is_letter(byte))
        }
        [letter, ..] => !is_letter(letter),
        [] => true,
    }
}

/// Whether there is a number with the word before it, back to where its binding starts.
fn has_number_of_port(bytes: &[u8]) -> bool {
    numbers(bytes).any(|number| {
        let before = &bytes[number.at.start.saturating_sub(FARTHEST)..number.at.start];
        let mut open = 0_usize;
        let start = before.iter().rposition(|byte| {
            match byte {
                b'}' => open += 1,
                b'{' => open = open.saturating_sub(1),
                b';' if open == 0 => return true,
                _ => {}
            }
            false
        });
        has_word(&before[start.unwrap_or(0)..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for text in [
            "port",
            "webPort = 1",
            "a_port",
            "PORT",
            "API_PORT=",
            "ports:",
            "ExposedPorts",
            "portRange",
            "x.port or",
            "Port from",
        ] {
            assert!(has_word(text.as_bytes()), "{text}");
        }
        for text in [
            "import",
            "support",
            "portal",
            "SUPPORT",
            "IMPORT",
            "PORTAL",
            "exports",
            "reporter",
            "ort",
            "transport",
        ] {
            assert!(!has_word(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn numbers_of_nix() {
        for text in [
            "{ port = 80; }",
            "{ a = 1; web.port = lib.mkIf (f { b = 1; }) 80; }",
            "{ allowedTCPPorts = [ 80\n 81 ]; }",
            "{ r = { PortRanges = [ { from = 1; to = 2; } ]; }; }",
            "{ port ? 80 }: 1",
            "{ x = ''curl localhost:80''; }",
            "{ x = \"psql -p 80\"; }",
            "{ ExposedPorts = { a = 1; \"80/tcp\" = { }; }; }",
        ] {
            assert!(may_hold_in_nix(text.as_bytes()), "{text}");
        }
        for text in [
            "{ imports = [ ./a1.nix ]; level = 80; }",
            "{ port = p; level = 80; }",
            "{ x = \"16\"; }",
        ] {
            assert!(!may_hold_in_nix(text.as_bytes()), "{text}");
        }
    }
}
