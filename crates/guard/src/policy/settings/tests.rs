use std::path::Path;

use super::*;

fn policy(text: &str) -> Policy {
    parse(text, PathBuf::from("/p")).unwrap()
}

fn refused(text: &str) -> (String, String, Option<String>) {
    let mistake = parse(text, PathBuf::from("/p")).unwrap_err();
    let (line, column) = crate::input::line_and_column(text, mistake.at);
    (format!("{line}:{column}"), mistake.message, mistake.hint)
}

fn ids(policy: &Policy) -> Vec<&str> {
    policy.rules.iter().map(|rule| rule.id.as_str()).collect()
}

const DEFAULT_IDS: [&str; 7] = [
    "dockerfile",
    "dockerignore",
    "docker-compose-file",
    "compose-file",
    "docker-compose",
    "docker-build",
    "dev-server",
];

#[test]
fn the_built_in_policy_is_a_policy() {
    let policy = policy(DEFAULT);
    assert_eq!(ids(&policy), DEFAULT_IDS);
    assert!(policy.rules.iter().all(|rule| rule.level == Level::Deny && rule.instead.is_some()));
    assert_eq!(policy.baseline, Path::new("/p/guard-baseline.toml"));
}

#[test]
fn a_file_is_the_whole_policy() {
    let policy = policy("[[rule]]\nid='x'\ncommand=['a', 'b|c']\nmessage='m'\nlevel='warn'\n");
    assert_eq!(ids(&policy), ["x"]);
    assert_eq!(policy.rules[0].level, Level::Warn);
    assert_eq!(policy.rules[0].commands, [Pattern::of(["a", "b|c"]).unwrap()]);
}

#[test]
fn extending_changes_the_keys_that_are_named() {
    let policy = policy(
        "extends='default'\nexclude=['x/**']\nbaseline='b.toml'\nprocesses='.nix/p.yaml'\n\
         [[rule]]\nid='dockerignore'\nlevel='off'\n[[rule]]\nid='dev-server'\nlevel='warn'\n\
         [[rule]]\nid='own'\nfiles=['Vagrantfile']\nmessage='m'\n",
    );
    let expected: Vec<&str> =
        DEFAULT_IDS.into_iter().filter(|id| *id != "dockerignore").chain(["own"]).collect();
    assert_eq!(ids(&policy), expected);
    let dev = policy.rules.iter().find(|rule| rule.id == "dev-server").unwrap();
    assert_eq!((dev.level, dev.commands.len()), (Level::Warn, 3));
    assert!(policy.excludes(Path::new("/p/x/y")) && policy.excludes(Path::new("/p/a/vendor/y")));
    assert_eq!(policy.baseline, Path::new("/p/b.toml"));
    assert_eq!(policy.processes.as_deref(), Some(Path::new("/p/.nix/p.yaml")));
}

#[test]
fn mistakes_have_a_place_and_a_suggestion() {
    let rule = |more: &str| format!("[[rule]]\nid = 'x'\nfiles = ['y']\nmessage = 'm'\n{more}\n");
    for (text, place, message, hint) in [
        (
            "exclud = []\n".to_owned(),
            "1:1",
            "unknown key `exclud`",
            Some("did you mean `exclude`?"),
        ),
        (rule("lvel = 'warn'"), "5:1", "unknown key `lvel`", Some("did you mean `level`?")),
        (
            rule("level = 'wran'"),
            "5:9",
            "`level` is `wran` but must be `deny`, `warn` or `off`",
            Some("did you mean `warn`?"),
        ),
        (rule("instead = 3"), "5:11", "this is integer but must be a string", None),
        (rule("except = 'x'"), "5:10", "this is string but must be an array", None),
        (
            rule("except = ['[']"),
            "5:11",
            "`[` is no file pattern: unclosed character class; missing ']'",
            None,
        ),
        (
            rule("command = ['docker', '']"),
            "5:11",
            "a command is a program and its operands, no word of it empty",
            None,
        ),
        (
            rule("command = []"),
            "5:11",
            "a command is a program and its operands, no word of it empty",
            None,
        ),
        (rule("") + &rule(""), "7:6", "the rule `x` is there twice", None),
        (
            "extends = 'defaults'\n".to_owned(),
            "1:11",
            "`extends` is `defaults` but can only be `default`",
            None,
        ),
        ("rule = 3\n".to_owned(), "1:8", "this is integer but must be an array", None),
        ("[[rule]]\nmessage = 'm'\n".to_owned(), "1:1", "the rule has no `id`", None),
        (
            "[[rule]]\nid = 'x'\nmessage = 'm'\n".to_owned(),
            "1:1",
            "the rule `x` has neither `files`, `command` nor `uses`",
            None,
        ),
        (
            "[[rule]]\nid = 'x'\nfiles = ['y']\n".to_owned(),
            "1:1",
            "the rule `x` has no `message`",
            None,
        ),
        (
            "[[rule]]\nid = 'X y'\n".to_owned(),
            "2:6",
            "`id` is `X y` but must be of lower-case letters, digits and `-`",
            None,
        ),
        (
            "[[rule]]\nid = 'x'\ncommand = ['a']\nbeside = ['b']\nmessage = 'm'\n".to_owned(),
            "1:1",
            "the rule `x` has `beside` without `files`",
            None,
        ),
        (
            "exclude = []\n".to_owned(),
            "1:1",
            "there is no rule in it",
            Some("to keep the built-in ones, say `extends = \"default\"`"),
        ),
    ] {
        let expected = (place.to_owned(), message.to_owned(), hint.map(str::to_owned));
        assert_eq!(refused(&text), expected, "{text}");
    }
    assert_eq!(refused("a = \n").0, "1:5");
    assert!(refused("zzzzzzzz = 1\n").2.unwrap().starts_with("the keys are `baseline`, "));
}
