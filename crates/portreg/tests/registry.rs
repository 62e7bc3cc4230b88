//! Registries of every form, read whole and one port at a time.

#![expect(clippy::unwrap_used, reason = "a helper of tests may fail loudly")]

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use fs_err as fs;
use portreg::{
    Entry, Listing, NoNix, Offset, Options, Policy, PortPath, Registry, RegistryError, Who,
};
use tempfile::TempDir;

struct Case {
    folder: TempDir,
    file: PathBuf,
}

fn case(name: &str, text: &str) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, text).unwrap();
    Case { folder, file }
}

fn path(text: &str) -> PortPath {
    text.parse().unwrap()
}

impl Case {
    fn open(&self) -> Registry<'static> {
        Registry::open(&self.file, Options::default()).unwrap()
    }

    fn words(&self, error: &dyn std::error::Error) -> String {
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn get(&self, name: &str) -> Result<Entry, String> {
        self.open().get(&path(name)).map_err(|error| self.words(&error))
    }

    fn number(&self, name: &str) -> String {
        match self.get(name) {
            Ok(entry) => entry.ports.to_string(),
            Err(words) => words,
        }
    }

    /// `path numbers protocol description` of every entry, and the problems.
    fn list(&self) -> (Vec<String>, Vec<String>) {
        let listing = self.open().list().unwrap();
        let lines = listing.entries.iter().map(|entry| {
            let protocol = entry.protocol.map_or("-", portreg::Protocol::name);
            let description = entry.description.as_deref().unwrap_or("");
            format!("{} {} {protocol} {description}", entry.path, entry.ports).trim_end().to_owned()
        });
        (lines.collect(), listing.problems.iter().map(|problem| self.words(problem)).collect())
    }
}

#[test]
fn every_form_of_an_entry() {
    let case = case(
        "ports.nix",
        r#"
{
  ssh = 22; # the door
  dns = { port = 53; protocol = "udp"; }; # names
  wsdd-udp = 3702;
  mosh = { from = 60000; to = 61000; proto = "UDP"; };
  old = { start = 1; end = 2; };
  livekit-udp-start = 50000; # media
  livekit-udp-end = 50100;
  meshMin = 7000;
  meshMax = 7010;
  x-start = 9;
  group = { port = 80; admin = 81; inner.deep = 82; };
  usual = [ 22 80 { from = 90; to = 91; } ];
  web."foo.bar" = 8080;
  name = "text";
  empty = { };
  f = x: x;
}
"#,
    );
    let (lines, problems) = case.list();
    assert_eq!(
        lines,
        [
            "dns 53 udp names",
            "group.admin 81 -",
            "group.inner.deep 82 -",
            "group.port 80 -",
            "livekit-udp 50000-50100 udp media",
            "mesh 7000-7010 -",
            "mosh 60000-61000 udp",
            "old 1-2 -",
            "ssh 22 - the door",
            "usual 22 80 90-91 -",
            "web.\"foo.bar\" 8080 -",
            "wsdd-udp 3702 udp",
            "x-start 9 -",
        ]
    );
    assert!(problems.is_empty(), "{problems:?}");
    for line in &lines {
        let (name, _) = line.split_once(' ').unwrap();
        assert!(case.get(name).is_ok(), "{name}");
    }
    assert_eq!(case.number("mosh.from"), "60000");
    assert_eq!(case.number("livekit-udp-end"), "50100");
    assert_eq!(case.number("dns.port"), "53");
    assert_eq!(case.number("group"), "`group` is a group, not a port");
    assert_eq!(case.number("name"), "ports.nix:16:3: `name` is a string, not a port");
    assert_eq!(case.number("f"), "ports.nix:18:3: `f` is a function, not a port");
    assert_eq!(case.number("nope"), "no port `nope` in `ports.nix`");
    assert_eq!(case.number("ssh.x"), "no port `ssh.x` in `ports.nix`");
    let entry = case.get("mosh").unwrap();
    let ends = entry.ends.unwrap().map(|path| path.to_string());
    assert_eq!(ends, ["mosh.from", "mosh.to"]);
    assert_eq!(entry.place.unwrap().line, 6);
}

#[test]
fn what_is_no_port_is_told_with_its_place() {
    let case = case(
        "ports.nix",
        "{\n  a = 0;\n  b = 65536;\n  c = -1;\n  d = { from = 9; to = 8; };\n  e = [ 70000 ];\n  \
         f = 65535;\n  g = throw \"no\";\n}\n",
    );
    let (lines, problems) = case.list();
    assert_eq!(lines, ["f 65535 -"]);
    assert_eq!(
        problems,
        [
            "ports.nix:8:7: no",
            "ports.nix:2:3: `a` is 0 but must be from 1 to 65535",
            "ports.nix:3:3: `b` is 65536 but must be from 1 to 65535",
            "ports.nix:4:3: `c` is -1 but must be from 1 to 65535",
            "ports.nix:5:3: the range `d` goes from 9 to 8",
            "ports.nix:6:3: `e` is 70000 but must be from 1 to 65535",
        ]
    );
    assert_eq!(case.number("f"), "65535");
    assert_eq!(case.number("g"), "ports.nix:8:7: no");
}

#[test]
fn the_root_is_found_or_named() {
    let text = "{ lib, ... }: { ports = { a = 1; }; assertions = lib.foo; other.x.b = 2; }";
    let case = case("ports.nix", text);
    assert_eq!(case.number("a"), "1");
    let mut registry = case.open();
    assert!(registry.extensions().head);
    registry.check_whole();
    assert!(!registry.extensions().partial, "the root itself is whole");
    let options = Options { root: Some(path("other.x")), ..Options::default() };
    let mut registry = Registry::open(&case.file, options).unwrap();
    assert_eq!(registry.get(&path("b")).unwrap().ports.to_string(), "2");
    let options = Options { root: Some(path("other.y")), ..Options::default() };
    let error = Registry::open(&case.file, options).unwrap_err();
    assert_eq!(case.words(&error), "`ports.nix` has no set `other.y`");
}

#[test]
fn an_override_is_its_content() {
    let case = case(
        "ports.nix",
        "{ a = { _type = \"override\"; priority = 1000; content = 80; }; b = { _type = \"override\"; content = { c = 81; }; }; }",
    );
    assert_eq!(case.list().0, ["a 80 -", "b.c 81 -"]);
    let mut registry = case.open();
    assert!(!registry.extensions().overridden);
    registry.get(&path("a")).unwrap();
    assert!(registry.extensions().overridden);
}

#[test]
fn registries_of_data() {
    let json = case(
        "ports.json",
        "{\n \"db\": {\"redis\": \"6379\", \"x\": 1, \"x\": 2},\n \"s\": \"a1\"\n}",
    );
    assert_eq!(json.list().0, ["db.redis 6379 -", "db.x 2 -"]);
    assert_eq!(json.get("db.redis").unwrap().place.unwrap().line, 2);
    let toml = case("reg.toml", "[ports.db]\nredis = 6379 # cache\npg = '5432'\n");
    assert_eq!(toml.list().0, ["db.pg 5432 -", "db.redis 6379 - cache"]);
    let bad = case("ports.json", "{\n \"a\": }");
    let error = Registry::open(&bad.file, Options::default()).unwrap_err();
    assert_eq!(bad.words(&error), "ports.json:2:7: expected a value but found `}`");
    let yaml = case("ports.yaml", "a: 1");
    let error = Registry::open(&yaml.file, Options::default()).unwrap_err();
    assert_eq!(
        yaml.words(&error),
        "`ports.yaml` is no registry: its name must end with .nix, .json or .toml"
    );
    let number = case("ports.nix", "80");
    let error = Registry::open(&number.file, Options::default()).unwrap_err();
    assert_eq!(number.words(&error), "`ports.nix` holds a number, but a registry is a set");
}

#[test]
fn suggestions() {
    let case = case("ports.nix", "{ databases = { redis = 1; postgresql = 2; }; }");
    let Err(RegistryError::Unknown { near, .. }) = case.open().get(&path("databases.redi")) else {
        panic!("it is there");
    };
    assert_eq!(near, [path("databases.redis")]);
    let Err(error) = case.open().get(&path("databases")) else { panic!("it is a port") };
    assert_eq!(
        error.hint().unwrap(),
        "ask for one of its ports: `databases.postgresql`, `databases.redis`"
    );
}

#[test]
fn aliases_have_one_literal() {
    let case = case("ports.nix", "rec {\n  a = 80;\n  b = a;\n  c = 80;\n  d = [ a ];\n}");
    let Listing { entries, .. } = case.open().list().unwrap();
    let span = |index: usize| entries[index].written.clone().unwrap().span;
    assert_eq!(span(0), span(1));
    assert_ne!(span(0), span(2));
}

#[test]
fn a_set_inside_itself_ends() {
    let case = case("ports.nix", "let s = { a = 1; s = s; }; in s");
    let error = case.open().list().unwrap_err();
    assert_eq!(case.words(&error), "`ports.nix` has more than 24 groups inside each other");
    assert_eq!(case.number("s.s.s.a"), "1");
    assert_eq!(case.number("nope"), "no port `nope` in `ports.nix`");
}

/// Options that answer with `answer`, and the questions that were asked.
fn with_nix(
    answer: Result<&'static str, &'static str>,
) -> (Options<'static>, Rc<RefCell<Vec<String>>>) {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let questions = Rc::clone(&asked);
    let nix = move |text: &str| {
        questions.borrow_mut().push(text.to_owned());
        answer.map(str::to_owned).map_err(Into::into)
    };
    (Options { nix: Some(Box::new(nix)), ..Options::default() }, asked)
}

#[test]
fn nix_is_asked_for_what_is_refused() {
    let case = case("ports.nix", "{ a = builtins.hashString \"md5\" \"x\"; b = 2; }");
    let answer = Ok("{\"registry\": {\"a\": 1, \"b\": 2}}");
    let (options, asked) = with_nix(answer);
    let mut registry = Registry::open(&case.file, options).unwrap();
    assert_eq!(registry.get(&path("b")).unwrap().ports.to_string(), "2");
    assert!(asked.borrow().is_empty(), "what is not refused is not asked");
    assert_eq!(registry.get(&path("a")).unwrap().ports.to_string(), "1");
    assert_eq!(asked.borrow().len(), 1);
    assert!(registry.asked_nix().unwrap().contains("`builtins.hashString`"));
    let (options, asked) = with_nix(answer);
    let mut registry = Registry::open(&case.file, options).unwrap();
    assert_eq!(registry.list().unwrap().entries.len(), 2);
    assert_eq!(asked.borrow().len(), 1);
    let (options, asked) = with_nix(answer);
    let options = Options { who: Who::Native, ..options };
    let mut registry = Registry::open(&case.file, options).unwrap();
    assert!(registry.get(&path("a")).is_err());
    assert!(asked.borrow().is_empty());
    let (options, asked) = with_nix(answer);
    let options = Options { who: Who::Nix, ..options };
    let mut registry = Registry::open(&case.file, options).unwrap();
    assert_eq!(registry.get(&path("b")).unwrap().ports.to_string(), "2");
    assert_eq!(asked.borrow().len(), 1);
}

#[test]
fn what_nix_cannot_answer_keeps_its_reason() {
    let case = case("ports.nix", "{ a = builtins.hashString \"md5\" \"x\"; b = 2; }");
    let (options, _) = with_nix(Err("boom"));
    let mut registry = Registry::open(&case.file, options).unwrap();
    let error = registry.get(&path("a")).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "boom");
    assert!(case.words(&error).starts_with("ports.nix:1:7: `builtins.hashString`"), "{error}");
    let listing = registry.list().unwrap();
    assert_eq!(listing.entries.len(), 1);
    assert_eq!(listing.problems.len(), 1);
    let options = Options { nix: Some(Box::new(|_| Err(NoNix.into()))), ..Options::default() };
    let mut registry = Registry::open(&case.file, options).unwrap();
    let error = registry.get(&path("a")).unwrap_err();
    assert_eq!(
        case.words(&error),
        "ports.nix:1:7: `builtins.hashString`, which is not evaluated natively"
    );
}

#[test]
fn a_syntax_error_is_told_by_its_place() {
    let case = case("ports.nix", "{ a = 1; b = ; }");
    let (options, asked) = with_nix(Err("boom"));
    let error = Registry::open(&case.file, options).unwrap_err();
    assert_eq!(
        case.words(&error),
        "ports.nix:1:14: syntax error: unexpected `;`, expected an expression"
    );
    assert_eq!(asked.borrow().len(), 1);
}

#[test]
fn offsets_move_what_may_move() {
    let case =
        case("ports.nix", "{ dev = { api = 3000; ui = { from = 3010; to = 3019; }; }; ssh = 22; }");
    fs::write(case.folder.path().join("ports.toml"), "[offset]\nkeep = [\"ssh\"]\n").unwrap();
    let listing = case.open().list().unwrap();
    let policy = || Policy::beside(&case.file).unwrap();
    let moved = |by: i32| {
        Offset::new(by, policy(), &listing)
            .map(|offset| {
                let all = listing.entries.iter().map(|entry| offset.apply(entry).to_string());
                all.collect::<Vec<_>>().join(" ")
            })
            .map_err(|error| case.words(&error))
    };
    assert_eq!(moved(0).unwrap(), "3000 3010-3019 22");
    assert_eq!(moved(100).unwrap(), "3100 3110-3119 22");
    assert_eq!(moved(-2000).unwrap(), "1000 1010-1019 22");
    assert_eq!(
        moved(5).unwrap_err(),
        "the offset 5 moves `dev.ui` from 3010 to 3015, which is `dev.ui` (ports.nix:1:23)"
    );
    assert_eq!(
        moved(10).unwrap_err(),
        "the offset 10 moves `dev.api` from 3000 to 3010, which is `dev.ui` (ports.nix:1:23)"
    );
    assert_eq!(
        moved(-3000).unwrap_err(),
        "the offset -3000 moves `dev.api` from 3000 to 0, which is not from 1 to 65535"
    );
    assert_eq!(
        moved(62_520).unwrap_err(),
        "the offset 62520 moves `dev.ui` from 3016 to 65536, which is not from 1 to 65535"
    );
}
