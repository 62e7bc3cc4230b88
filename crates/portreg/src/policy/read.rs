//! `ports.toml` as it is written.

use std::path::Path;

use nixexpr::data::{Data, Kind, Member, parse_toml};
use nixexpr::{Lines, Span};

use super::allowed::FileGlob;
use super::band::{Band, Numbers, parse_numbers};
use super::{Glob, Policy, PolicyError};
use crate::PortPath;

/// The rules of the check, as the policy may name them.
const RULES: [&str; 7] = ["P001", "P002", "P003", "P004", "P005", "P006", "P007"];

/// The largest step that leaves several slots.
const LARGEST_STEP: u16 = 10_000;

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    lines: Lines,
}

/// Reads the text of a policy.
pub(super) fn policy(file: &Path, text: &str) -> Result<Policy, PolicyError> {
    let reader = Reader { file, text, lines: Lines::of(text) };
    let data =
        parse_toml(text).map_err(|error| reader.invalid_at(error.at(), error.to_string()))?;
    let mut policy = Policy::default();
    let Kind::Set(members) = data.kind else { return Ok(policy) };
    for member in members {
        match &*member.name {
            "offset" => reader.offset(member, &mut policy)?,
            "bands" => reader.bands(member, &PortPath::default(), &mut policy.bands)?,
            "reserved" => reader.reserved(member, &mut policy.reserved)?,
            "check" => reader.check(member, &mut policy)?,
            "allow" => reader.allow(member, &mut policy)?,
            "lint" => reader.lint(member, &mut policy)?,
            _ => {}
        }
    }
    Ok(policy)
}

impl Reader<'_> {
    fn invalid(&self, at: Span, what: String) -> PolicyError {
        self.invalid_at(at.range().start, what)
    }

    fn invalid_at(&self, at: usize, what: String) -> PolicyError {
        PolicyError::Invalid { place: self.lines.place(self.file, self.text, at), what }
    }

    /// The members of a table.
    fn table(&self, member: Member) -> Result<Vec<Member>, PolicyError> {
        match member.value.kind {
            Kind::Set(members) => Ok(members),
            _ => Err(self.invalid(member.span, format!("`{}` must be a table", member.name))),
        }
    }

    fn list(&self, member: Member, of: &str) -> Result<Vec<Data>, PolicyError> {
        match member.value.kind {
            Kind::List(items) => Ok(items),
            _ => {
                Err(self.invalid(member.span, format!("`{}` must be a list of {of}", member.name)))
            }
        }
    }

    fn globs(&self, member: Member) -> Result<Vec<Glob>, PolicyError> {
        let items = self.list(member, "patterns")?;
        let glob = |item: Data| {
            let Kind::Text(glob) = item.kind else {
                return Err(self.invalid(item.span, "a pattern must be a string".to_owned()));
            };
            Glob::new(&glob)
                .map_err(|error| self.invalid(item.span, format!("{error}: {}", error.source)))
        };
        items.into_iter().map(glob).collect()
    }

    fn offset(&self, member: Member, policy: &mut Policy) -> Result<(), PolicyError> {
        for member in self.table(member)? {
            match &*member.name {
                "move" => policy.moves = self.globs(member)?,
                "keep" => policy.keeps = self.globs(member)?,
                "step" => {
                    let step =
                        step(&member.value).map_err(|what| self.invalid(member.span, what))?;
                    policy.step = Some(step);
                }
                other => {
                    return Err(self.invalid(member.span, format!("`offset` has no `{other}`")));
                }
            }
        }
        Ok(())
    }

    /// `databases = "5000-5999"`, `databases = { from = 5000, to = 5999 }`, or groups inside a group.
    fn bands(
        &self,
        member: Member,
        group: &PortPath,
        bands: &mut Vec<Band>,
    ) -> Result<(), PolicyError> {
        for member in self.table(member)? {
            // A quoted name may be a path: "web.internal".
            let path = member.name.parse::<PortPath>();
            let path = path.map_err(|error| self.invalid(member.span, error.to_string()))?;
            let group: PortPath =
                group.names().iter().chain(path.names()).map(String::to_owned).collect();
            if let Kind::Set(members) = &member.value.kind
                && !members.iter().any(|member| member.name == "from" || member.name == "to")
            {
                self.bands(member, &group, bands)?;
                continue;
            }
            bands.push(Band { group, numbers: self.numbers(&member.value, member.span)? });
        }
        Ok(())
    }

    fn reserved(&self, member: Member, reserved: &mut Vec<Numbers>) -> Result<(), PolicyError> {
        for item in self.list(member, "numbers and ranges")? {
            reserved.push(self.numbers(&item, item.span)?);
        }
        Ok(())
    }

    fn lint(&self, member: Member, policy: &mut Policy) -> Result<(), PolicyError> {
        for member in self.table(member)? {
            if member.name != "allow" {
                return Err(self.invalid(member.span, format!("`lint` has no `{}`", member.name)));
            }
            self.allow(member, policy)?;
        }
        Ok(())
    }

    /// Numbers and ranges, and patterns of files.
    fn allow(&self, member: Member, policy: &mut Policy) -> Result<(), PolicyError> {
        for item in self.list(member, "numbers and patterns of files")? {
            let span = item.span;
            let is_numbers =
                |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            match &item.kind {
                Kind::Text(glob) if !is_numbers(glob) => {
                    let glob = FileGlob::new(glob)
                        .map_err(|error| self.invalid(span, format!("`{glob}`: {error}")))?;
                    policy.allowed.files.push(glob);
                }
                _ => policy.allowed.numbers.push(self.numbers(&item, span)?),
            }
        }
        Ok(())
    }

    /// A number, `"from-to"`, or `{ from, to }`.
    fn numbers(&self, data: &Data, at: Span) -> Result<Numbers, PolicyError> {
        let text = match &data.kind {
            Kind::Int(number) => number.to_string(),
            Kind::Text(text) => text.clone(),
            Kind::Set(members) => {
                let end = |name: &str| {
                    let found = members.iter().find(|member| member.name == name);
                    match found.map(|member| &member.value.kind) {
                        Some(Kind::Int(number)) => number.to_string(),
                        _ => String::new(),
                    }
                };
                format!("{}-{}", end("from"), end("to"))
            }
            _ => "this".to_owned(),
        };
        let (from, to) = parse_numbers(&text).map_err(|what| self.invalid(at, what))?;
        Ok(Numbers { from, to, place: self.lines.place(self.file, self.text, at.range().start) })
    }

    fn check(&self, member: Member, policy: &mut Policy) -> Result<(), PolicyError> {
        for member in self.table(member)? {
            if member.name == "ignore" {
                policy.ignored = self.globs(member)?;
                continue;
            }
            let rule = member.name.clone();
            if !RULES.contains(&&*rule) {
                return Err(self.invalid(member.span, format!("`check` has no `{rule}`")));
            }
            let globs = self.globs(member)?;
            policy.exempt.extend(globs.into_iter().map(|glob| (rule.clone(), glob)));
        }
        Ok(())
    }
}

/// `step = N`.
fn step(data: &Data) -> Result<u16, String> {
    let step = match data.kind {
        Kind::Int(step) => u16::try_from(step).ok(),
        _ => None,
    };
    step.filter(|step| (1..=LARGEST_STEP).contains(step))
        .ok_or_else(|| format!("`step` must be a number from 1 to {LARGEST_STEP}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PortPath {
        text.parse().unwrap()
    }

    fn read(text: &str) -> Result<Policy, PolicyError> {
        policy(Path::new("ports.toml"), text)
    }

    #[test]
    fn what_moves() {
        let policy = read("[offset]\nmove = [\"dev\", \"otel.*\"]\nkeep = [\"dev.db\"]\n").unwrap();
        assert!(policy.moves(&path("dev.api")) && policy.moves(&path("otel.grpc")));
        assert!(!policy.moves(&path("dev.db")) && !policy.moves(&path("infra.ssh")));
        assert!(read("").unwrap().moves(&path("a")));
        assert_eq!((policy.step(), read("[offset]\nstep = 100").unwrap().step()), (10, 100));
    }

    #[test]
    fn the_innermost_band() {
        let policy = read(
            "reserved = [22, \"6000-6010\", { from = 7, to = 9 }]\n\
             [bands]\nweb = \"8000-8999\"\nweb.internal = { from = 8100, to = 8199 }\n",
        );
        assert_eq!(
            policy.unwrap_err().to_string(),
            "ports.toml:4:1: cannot extend value of type string with a dotted key"
        );
        let policy = read(
            "reserved = [22, \"6000-6010\", { from = 7, to = 9 }]\n\
             [bands]\nweb = \"8000-8999\"\n\"web.internal\" = { from = 8100, to = 8199 }\ndb.x = 5000\n",
        )
        .unwrap();
        let band = |text: &str| policy.band(&path(text)).map(|band| band.numbers.to_string());
        assert_eq!(band("web.a").as_deref(), Some("8000-8999"));
        assert_eq!(band("web.internal.a").as_deref(), Some("8100-8199"));
        assert_eq!(band("db.x").as_deref(), Some("5000"));
        assert_eq!(band("webby"), None);
        let reserved: Vec<String> = policy.reserved().iter().map(ToString::to_string).collect();
        assert_eq!(reserved, ["22", "6000-6010", "7-9"]);
        assert_eq!(policy.reserved()[1].place.to_string(), "ports.toml:1:17");
    }

    #[test]
    fn what_is_not_checked() {
        let policy = read("[check]\nignore = [\"domain\"]\nP005 = [\"infra\"]\n").unwrap();
        assert!(!policy.checks("P003", &path("domain")) && policy.checks("P003", &path("infra.a")));
        assert!(!policy.checks("P005", &path("infra.ssh")) && policy.checks("P005", &path("web")));
    }

    #[test]
    fn what_may_be_written_out() {
        let policy =
            read("allow = [80, \"8000-8010\", \"*.md\"]\n[lint]\nallow = [\"tests/**\"]\n");
        let policy = policy.unwrap();
        assert!(
            policy.allows_number(80) && policy.allows_number(8005) && !policy.allows_number(81)
        );
        let allows = |path: &str| policy.allows_file(Path::new(path));
        assert!(allows("README.md") && allows("a/b.md") && allows("tests/a/b.yaml"));
        assert!(!allows("a/tests/b.yaml") && !allows("md"));
    }

    #[test]
    fn what_is_wrong() {
        for (text, words) in [
            ("offset = 1", "1:1: `offset` must be a table"),
            ("[offset]\nmvoe = []", "2:1: `offset` has no `mvoe`"),
            ("[offset]\nmove = \"x\"", "2:1: `move` must be a list of patterns"),
            ("[offset]\nstep = 0", "2:1: `step` must be a number from 1 to 10000"),
            ("[offset]\nmove = [1]", "2:9: a pattern must be a string"),
            ("reserved = 1", "1:1: `reserved` must be a list of numbers and ranges"),
            ("reserved = [0]", "1:13: `0` must be a port or a range of ports such as 3000-3999"),
            ("[bands]\na = \"9-3\"", "2:1: the range goes from 9 to 3"),
            (
                "[bands]\na = true",
                "2:1: `this` must be a port or a range of ports such as 3000-3999",
            ),
            ("[lint]\nx = []", "2:1: `lint` has no `x`"),
            ("allow = 1", "1:1: `allow` must be a list of numbers and patterns of files"),
            ("allow = [0]", "1:10: `0` must be a port or a range of ports such as 3000-3999"),
            ("[check]\nP010 = []", "2:1: `check` has no `P010`"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), format!("ports.toml:{words}"));
        }
    }
}
