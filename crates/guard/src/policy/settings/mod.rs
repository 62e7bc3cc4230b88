//! `guard.toml`: read strictly, every mistake with its place and, for a name, the one that was meant.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{DEFAULT, Globs, Level, Pattern, Policy, Rule};

/// Something in a policy that is not understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The byte it stands at.
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

type Value<'a> = Spanned<DeValue<'a>>;

const KEYS: [&str; 5] = ["baseline", "exclude", "extends", "processes", "rule"];
const RULE_KEYS: [&str; 9] =
    ["beside", "command", "except", "files", "id", "instead", "level", "message", "uses"];

/// Reads a policy; paths in it are relative to `root`.
pub(super) fn parse(text: &str, root: PathBuf) -> Result<Policy, Mistake> {
    let table = DeTable::parse(text).map_err(|error| {
        mistake(error.span().map_or(0, |span| span.start), error.message().to_owned())
    })?;
    let table = table.get_ref();
    check_keys(table, &KEYS)?;
    let mut policy = Policy {
        exclude: Globs::default(),
        rules: Vec::new(),
        baseline: root.join("guard-baseline.toml"),
        processes: None,
        root,
    };
    let extends = extends_default(table)?;
    if extends {
        let default = parse(DEFAULT, policy.root.clone())?;
        (policy.exclude, policy.rules) = (default.exclude, default.rules);
    }
    if let Some(value) = table.get("exclude") {
        add_globs(value, &mut policy.exclude)?;
    }
    if let Some(value) = table.get("baseline") {
        policy.baseline = policy.root.join(text_of(value)?);
    }
    if let Some(value) = table.get("processes") {
        policy.processes = Some(policy.root.join(text_of(value)?));
    }
    match table.get("rule") {
        Some(value) => add_rules(value, &mut policy.rules, extends)?,
        None if extends => {}
        // A file with a few settings and no rule would silently allow everything.
        None => {
            return Err(Mistake {
                at: 0,
                message: "there is no rule in it".to_owned(),
                hint: Some("to keep the built-in ones, say `extends = \"default\"`".to_owned()),
            });
        }
    }
    policy.rules.retain(|rule| rule.level != Level::Off);
    Ok(policy)
}

fn extends_default(table: &DeTable<'_>) -> Result<bool, Mistake> {
    let Some(value) = table.get("extends") else { return Ok(false) };
    match text_of(value)? {
        "default" => Ok(true),
        other => {
            Err(mistake(at(value), format!("`extends` is `{other}` but can only be `default`")))
        }
    }
}

fn add_rules(value: &Value<'_>, rules: &mut Vec<Rule>, extends: bool) -> Result<(), Mistake> {
    let mut seen = Vec::new();
    for item in array_of(value)? {
        let DeValue::Table(table) = item.get_ref() else {
            return Err(wrong_type(item, "a table, written `[[rule]]`"));
        };
        check_keys(table, &RULE_KEYS)?;
        let Some(id_value) = table.get("id") else {
            return Err(mistake(at(item), "the rule has no `id`".to_owned()));
        };
        let id = id_of(id_value)?;
        if seen.contains(&id) {
            return Err(mistake(at(id_value), format!("the rule `{id}` is there twice")));
        }
        let known = rules.iter_mut().find(|rule| rule.id == id).filter(|_| extends);
        if let Some(rule) = known {
            fill(rule, table)?;
        } else {
            let mut rule = Rule::new(id.to_owned());
            fill(&mut rule, table)?;
            check_rule(&rule, at(item))?;
            rules.push(rule);
        }
        seen.push(id);
    }
    Ok(())
}

/// Takes over the keys that a rule names; the others keep what they had.
fn fill(rule: &mut Rule, table: &DeTable<'_>) -> Result<(), Mistake> {
    if let Some(value) = table.get("level") {
        let name = text_of(value)?;
        rule.level = Level::parse(name).ok_or_else(|| Mistake {
            at: at(value),
            message: format!("`level` is `{name}` but must be `deny`, `warn` or `off`"),
            hint: did_you_mean(name, &Level::NAMES),
        })?;
    }
    if let Some(value) = table.get("message") {
        text_of(value)?.clone_into(&mut rule.message);
    }
    if let Some(value) = table.get("instead") {
        rule.instead = Some(text_of(value)?.to_owned());
    }
    for (key, globs) in
        [("files", &mut rule.files), ("beside", &mut rule.beside), ("except", &mut rule.except)]
    {
        if let Some(value) = table.get(key) {
            *globs = Globs::default();
            add_globs(value, globs)?;
        }
    }
    if let Some(value) = table.get("command") {
        rule.commands = patterns_of(value)?;
    }
    if let Some(value) = table.get("uses") {
        rule.uses = array_of(value)?
            .iter()
            .map(|item| text_of(item).map(str::to_owned))
            .collect::<Result<_, _>>()?;
    }
    Ok(())
}

fn check_rule(rule: &Rule, at: usize) -> Result<(), Mistake> {
    let id = &rule.id;
    if rule.level == Level::Off {
        return Ok(());
    }
    if rule.files.is_empty() && rule.commands.is_empty() && rule.uses.is_empty() {
        return Err(mistake(
            at,
            format!("the rule `{id}` has neither `files`, `command` nor `uses`"),
        ));
    }
    if rule.files.is_empty() && !rule.beside.is_empty() {
        return Err(mistake(at, format!("the rule `{id}` has `beside` without `files`")));
    }
    if rule.message.is_empty() {
        return Err(mistake(at, format!("the rule `{id}` has no `message`")));
    }
    Ok(())
}

/// One pattern, `["docker", "build"]`, or a list of them.
fn patterns_of(value: &Value<'_>) -> Result<Vec<Pattern>, Mistake> {
    let items = array_of(value)?;
    let is_one = items.iter().all(|item| matches!(item.get_ref(), DeValue::String(_)));
    if is_one {
        return Ok(vec![pattern_of(value)?]);
    }
    items.iter().map(pattern_of).collect()
}

fn pattern_of(value: &Value<'_>) -> Result<Pattern, Mistake> {
    let words = array_of(value)?.iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
    Pattern::of(words).ok_or_else(|| {
        mistake(
            at(value),
            "a command is a program and its operands, no word of it empty".to_owned(),
        )
    })
}

fn add_globs(value: &Value<'_>, globs: &mut Globs) -> Result<(), Mistake> {
    for item in array_of(value)? {
        let pattern = text_of(item)?;
        globs.add(pattern).map_err(|error| {
            mistake(at(item), format!("`{pattern}` is no file pattern: {}", error.kind()))
        })?;
    }
    Ok(())
}

fn id_of<'a>(value: &'a Value<'_>) -> Result<&'a str, Mistake> {
    let id = text_of(value)?;
    let is_plain =
        id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if id.is_empty() || !is_plain {
        return Err(mistake(
            at(value),
            format!("`id` is `{id}` but must be of lower-case letters, digits and `-`"),
        ));
    }
    Ok(id)
}

fn text_of<'a>(value: &'a Value<'_>) -> Result<&'a str, Mistake> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text),
        _ => Err(wrong_type(value, "a string")),
    }
}

fn array_of<'a, 'b>(value: &'a Value<'b>) -> Result<&'a [Value<'b>], Mistake> {
    match value.get_ref() {
        DeValue::Array(items) => Ok(items),
        _ => Err(wrong_type(value, "an array")),
    }
}

fn check_keys(table: &DeTable<'_>, known: &[&str]) -> Result<(), Mistake> {
    // The table is sorted by name; the first mistake of the file is the one to report.
    let unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
    match unknown.min_by_key(|key| key.span().start) {
        None => Ok(()),
        Some(key) => Err(Mistake {
            at: key.span().start,
            message: format!("unknown key `{}`", key.get_ref()),
            hint: did_you_mean(key.get_ref(), known).or_else(|| {
                Some(format!(
                    "the keys are {}",
                    known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
                ))
            }),
        }),
    }
}

fn did_you_mean(name: &str, known: &[&str]) -> Option<String> {
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), known));
    let (distance, best) = near.min()?;
    (distance <= 2).then(|| format!("did you mean `{best}`?"))
}

fn wrong_type(value: &Value<'_>, expected: &str) -> Mistake {
    mistake(at(value), format!("this is {} but must be {expected}", value.get_ref().type_str()))
}

fn at(value: &Value<'_>) -> usize {
    value.span().start
}

fn mistake(at: usize, message: String) -> Mistake {
    Mistake { at, message, hint: None }
}

#[cfg(test)]
mod tests;
