//! Ports in a text, line by line: a number is one by what stands around it.

mod left;
mod mapping;
mod programs;

use std::ops::Range;

use self::left::{Left, ends, ends_quoted};
use self::mapping::{Item, Known};
use self::programs::Flag;
use super::kind::Kind;
use super::name::{is_capitals, is_port, is_ports};
use super::page::{Number, Page, numbers};

/// How much of a command is looked at, in bytes, and on a line in general.
const LONGEST_COMMAND: usize = 1_000;

/// A port that is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) port: u16,
    /// Its digits in the text.
    pub(crate) at: Range<usize>,
    pub(crate) form: Form,
}

/// How sure it is that a number is a port of this project, and what more is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Sure,
    /// The port of another machine, in a URL.
    Remote,
    /// It is one if the registry has it: two numbers with a colon in a list that has no name.
    IfRegistered,
    /// What a variable is when it is not set.
    DefaultOf(String),
}

/// The ports of a text.
pub(crate) fn literals(page: &Page<'_>) -> Vec<Literal> {
    let mut scan = Scan { page, in_ports: false, known: None };
    scan.all()
}

/// The ports of a string of Nix, which may be an item of a list of ports.
pub(crate) fn literals_of_string(text: &str, in_ports: bool) -> Vec<Literal> {
    let page = Page::new(text.as_bytes(), Kind::Embedded);
    Scan { page: &page, in_ports, known: None }.all()
}

struct Scan<'p> {
    page: &'p Page<'p>,
    in_ports: bool,
    known: Option<Known>,
}

impl Scan<'_> {
    fn all(&mut self) -> Vec<Literal> {
        let mut found = Vec::new();
        for line in 0..self.page.count() {
            let mut text: Option<&[u8]> = None;
            for number in numbers(self.page.line(line)) {
                // Most lines have no number, so that their comments are nobody's matter.
                let text = *text.get_or_insert_with(|| self.page.code(line));
                if number.at.end > text.len() {
                    break;
                }
                if let Some(form) = self.form(line, text, &number) {
                    let start = self.page.start(line);
                    let at = start + number.at.start..start + number.at.end;
                    found.push(Literal { port: number.port, at, form });
                }
            }
        }
        found
    }

    fn form(&mut self, line: usize, text: &[u8], number: &Number) -> Option<Form> {
        let before = Left(end_of(&text[..number.at.start]));
        let after = &text[number.at.end..];
        if let Some(name) = default_of(before, after) {
            return Some(Form::DefaultOf(name.to_owned()));
        }
        let is_sure = is_exposed(before, after)
            || is_at_local_host(before)
            || is_option(before, after)
            || self.is_flag(line, before, after)
            || self.is_setting(before, after)
            || self.is_in_nix_list(before, after);
        if is_sure {
            return Some(Form::Sure);
        }
        if let Some(lead) = mapping::lead(text, number) {
            return self.mapping(line, lead);
        }
        is_in_url(before, after).then_some(Form::Remote)
    }

    /// `-p N` and `-P N` of programs for which that is a port.
    fn is_flag(&self, line: usize, before: Left<'_>, after: &[u8]) -> bool {
        let Some((flag, quoted)) = short_flag(before) else { return false };
        ends_quoted(after, quoted) && self.program(line, before, flag) == Flag::Port
    }

    /// What a flag is to the program that is run up to `before`.
    fn program(&self, line: usize, before: Left<'_>, flag: &str) -> Flag {
        let found = programs::flag(before.0, flag);
        if found != Flag::Unknown {
            return found;
        }
        // A command may begin on a line above that a backslash continues.
        let mut looked_at = before.0.len();
        for above in (0..line).rev() {
            let Some(text) = self.page.line(above).strip_suffix(b"\\") else { break };
            looked_at += text.len() + 1;
            let found = programs::flag(end_of(text), flag);
            if found != Flag::Unknown || looked_at > LONGEST_COMMAND {
                return found;
            }
        }
        Flag::Unknown
    }

    /// `port: N`, `API_PORT="N"`, `port = N;`.
    fn is_setting(&self, before: Left<'_>, after: &[u8]) -> bool {
        let mut before = before;
        let quoted = before.quote();
        if self.page.kind == Kind::Nix && !quoted {
            before = without_priority(before);
        }
        let blanks = before.blanks();
        let is_colon = if before.text(b":=") || before.text(b"?=") {
            false
        } else if before.text(b"=") {
            // Comparisons set nothing.
            if before.last().is_some_and(|byte| b"=!<>+-*/%|&^~:".contains(&byte)) {
                return false;
            }
            false
        } else if before.text(b":") {
            true
        } else {
            return false;
        };
        before.blanks();
        let quoted_name = before.quote();
        let name = before.name();
        let is_expansion = before.last() == Some(b'$');
        // `port:80` is a word, unless it is `"port":80` or `${port:80}`.
        let is_tight = is_colon && blanks == 0 && !quoted_name;
        if !is_port(name)
            || is_expansion
            || (is_tight && !matches!(before.last(), Some(b'{' | b',')))
            || !(self.page.kind.is_settings() || is_capitals(name))
        {
            return false;
        }
        if is_colon && self.page.kind.is_yaml() && !quoted {
            // A plain scalar may have blanks in it.
            let rest = after.trim_ascii_start();
            return rest.is_empty() || b",}]".contains(&rest[0]);
        }
        // `X_PORT = 3,` is a member of an enumeration.
        let is_member = blanks > 0 && !is_colon && !quoted && after.starts_with(b",");
        if is_member && matches!(self.page.kind, Kind::Code(_)) {
            return false;
        }
        ends_quoted(after, quoted)
    }

    /// `allowedTCPPorts = [ 80 N ]`, in Nix that is read by lines.
    fn is_in_nix_list(&self, before: Left<'_>, after: &[u8]) -> bool {
        if self.page.kind != Kind::Nix || !ends(after) {
            return false;
        }
        let mut before = before;
        before.while_is(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace());
        if !before.text(b"[") {
            return false;
        }
        before.blanks();
        if !before.text(b"=") {
            return false;
        }
        before.blanks();
        is_ports(before.name())
    }

    /// The host's side of a mapping, by where it stands.
    fn mapping(&mut self, line: usize, lead: Left<'_>) -> Option<Form> {
        if self.in_ports {
            let mut lead = lead;
            lead.blanks();
            return lead.0.is_empty().then_some(Form::Sure);
        }
        if let Some((flag, _)) = short_flag(lead) {
            let program = self.program(line, lead, flag);
            return (flag == "-p" && program != Flag::Port).then_some(Form::Sure);
        }
        if long_option(lead).is_some_and(|(name, _)| name == "--publish") {
            return Some(Form::Sure);
        }
        if memchr::memmem::find(lead.0, b"port-forward ").is_some() {
            return Some(Form::Sure);
        }
        if !self.page.kind.is_yaml() {
            return None;
        }
        match mapping::item(self.page, line, lead, &mut self.known)? {
            Item::Ports => Some(Form::Sure),
            Item::Unknown if self.page.kind == Kind::Containers => Some(Form::Sure),
            Item::Unknown => Some(Form::IfRegistered),
            Item::Other => None,
        }
    }
}

/// The last bytes of a text: no more of it says what a number is.
fn end_of(text: &[u8]) -> &[u8] {
    &text[text.len().saturating_sub(LONGEST_COMMAND)..]
}

/// `${NAME:-N}` and its like, where the name is that of a port.
fn default_of<'a>(before: Left<'a>, after: &[u8]) -> Option<&'a str> {
    let mut before = before;
    let quoted = before.quote();
    let sign = before.text(b"-") || before.text(b"=");
    before.text(b":");
    let name = before.while_is(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name = std::str::from_utf8(name).ok()?;
    let mut after = after;
    if quoted {
        after = after.strip_prefix(b"\\").unwrap_or(after).get(1..)?;
    }
    (sign && before.text(b"${") && after.starts_with(b"}") && is_port(name)).then_some(name)
}

/// `localhost:N`, `127.0.0.1:N`, `0.0.0.0:N`, `[::1]:N`.
fn is_at_local_host(before: Left<'_>) -> bool {
    let mut before = before;
    if !before.text(b":") {
        return false;
    }
    if before.text(b"localhost") {
        return before
            .last()
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"_-".contains(&byte));
    }
    before.address().is_some_and(|address| {
        matches!(address, b"::1" | b"::" | b"0.0.0.0") || address.starts_with(b"127.")
    })
}

/// `scheme://user@host:N/path`.
fn is_in_url(before: Left<'_>, after: &[u8]) -> bool {
    let mut before = before;
    let is_end = ends(after) || after.starts_with(b"/") || after.starts_with(b"?");
    if !is_end || !before.text(b":") {
        return false;
    }
    let is_authority = |byte: u8| !byte.is_ascii_whitespace() && !b"/\"'`<>".contains(&byte);
    let authority = before.while_is(is_authority);
    let host = authority.rsplit(|&byte| byte == b'@').next().unwrap_or_default();
    !host.is_empty() && before.text(b"://")
}

/// `--port N`, `--http-port=N`, `"--port", "N"`.
fn is_option(before: Left<'_>, after: &[u8]) -> bool {
    long_option(before).is_some_and(|(name, quoted)| is_port(name) && ends_quoted(after, quoted))
}

/// The option whose value starts here, and whether the value is in quotes.
fn long_option(before: Left<'_>) -> Option<(&str, bool)> {
    let (name, quoted) = option(before)?;
    // One dash will do for a word, as programs in Go have it.
    let is_long = name.starts_with("--") || name.len() > 2;
    is_long.then_some((name, quoted))
}

/// `-p` or `-P`, whose value starts here.
fn short_flag(before: Left<'_>) -> Option<(&'static str, bool)> {
    let is_flag = |name: &str| ["-p", "-P"].into_iter().find(|flag| *flag == name);
    let mut attached = before;
    let name = attached.name();
    if let Some(flag) = is_flag(name) {
        return Some((flag, false));
    }
    let (name, quoted) = option(before)?;
    Some((is_flag(name)?, quoted))
}

fn option(before: Left<'_>) -> Option<(&str, bool)> {
    let mut before = before;
    let quoted = before.quote();
    let is_joined = before.text(b"=");
    if !is_joined {
        let blanks = before.blanks();
        let comma = quoted && before.text(b",");
        before.blanks();
        // An argument vector: the option is a string of its own.
        let is_word = quoted && before.quote();
        if blanks == 0 && !comma && !is_word {
            return None;
        }
    }
    let name = before.name();
    name.starts_with('-').then_some((name, quoted))
}

/// The port of an image, `"N/tcp"` as a name.
fn is_exposed(before: Left<'_>, after: &[u8]) -> bool {
    let mut before = before;
    let protocols = [&b"/tcp\""[..], b"/udp\"", b"/sctp\""];
    let Some(after) = protocols.iter().find_map(|protocol| after.strip_prefix(*protocol)) else {
        return false;
    };
    before.text(b"\"") && matches!(after.trim_ascii_start().first(), Some(b':' | b'='))
}

/// What stands before `lib.mkDefault`, if that is there.
fn without_priority(before: Left<'_>) -> Left<'_> {
    let mut rest = before;
    if rest.blanks() == 0 {
        return before;
    }
    let function = rest.name().rsplit('.').next().unwrap_or_default();
    if matches!(function, "mkDefault" | "mkForce" | "toString") { rest } else { before }
}

#[cfg(test)]
mod tests;
