//! From words to a tree.

use std::collections::BTreeMap;

use super::TemplateError;
use super::lex::{Part, Token, parts};

/// The deepest nesting of actions and of parentheses.
const MAX_DEPTH: usize = 64;

/// A template and those that it defines.
#[derive(Debug, Default)]
pub(super) struct Template {
    pub(super) nodes: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

/// Something that prints, or decides what does.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Print(Pipe),
    If(Vec<(Pipe, Vec<Self>)>, Vec<Self>),
    With(Vec<(Pipe, Vec<Self>)>, Vec<Self>),
    Range(Pipe, Vec<Self>, Vec<Self>),
    Call(String, Option<Pipe>, usize),
    Break,
    Continue,
}

/// `$a, $b := command | command`.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    pub(super) is_assignment: bool,
    pub(super) commands: Vec<Command>,
    pub(super) at: usize,
}

/// A function or value with its arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) words: Vec<Operand>,
    pub(super) at: usize,
}

/// A value, and the fields that are taken from it.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) base: Base,
    pub(super) fields: Vec<String>,
    pub(super) at: usize,
}

#[derive(Debug)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Function(String),
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Nil,
    Pipe(Box<Pipe>),
}

pub(super) const FUNCTIONS: [&str; 19] = [
    "and", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print",
    "printf", "println", "slice", "urlquery", "call",
];

fn error<T>(at: usize, what: impl Into<String>) -> Result<T, TemplateError> {
    Err(TemplateError { at, what: what.into() })
}

pub(super) fn parse(template: &str) -> Result<Template, TemplateError> {
    let mut parser = Parser {
        parts: parts(template)?.into_iter(),
        defined: BTreeMap::new(),
        variables: vec!["$".to_owned()],
        loops: 0,
        depth: 0,
    };
    let (nodes, end) = parser.list()?;
    match end {
        None => Ok(Template { nodes, defined: parser.defined }),
        Some(End { word, at, .. }) => error(at, format!("`{word}` ends nothing")),
    }
}

struct Parser {
    parts: std::vec::IntoIter<Part>,
    defined: BTreeMap<String, Vec<Node>>,
    variables: Vec<String>,
    loops: usize,
    depth: usize,
}

/// What ended a list.
struct End {
    word: String,
    words: Words,
    at: usize,
}

/// The words of one action.
struct Words {
    rest: std::iter::Peekable<std::vec::IntoIter<(Token, usize)>>,
    at: usize,
    depth: usize,
}

impl Parser {
    /// Reads until `end`, `else`, or the end of the text.
    fn list(&mut self) -> Result<(Vec<Node>, Option<End>), TemplateError> {
        let mut nodes = Vec::new();
        self.depth += 1;
        while let Some(part) = self.parts.next() {
            let (words, at) = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Part::Action(words, at) => (words, at),
            };
            if self.depth > MAX_DEPTH {
                return error(at, "too many actions inside each other");
            }
            let mut words = Words { rest: words.into_iter().peekable(), at, depth: 0 };
            let keyword = match words.rest.peek() {
                Some((Token::Word(word), _)) => word.clone(),
                None => return error(at, "there is nothing between `{{` and `}}`"),
                _ => String::new(),
            };
            let keyword = keyword.as_str();
            if KEYWORDS.contains(&keyword) {
                words.rest.next();
            }
            match keyword {
                "end" | "else" => {
                    self.depth -= 1;
                    return Ok((nodes, Some(End { word: keyword.to_owned(), words, at })));
                }
                "if" | "with" => nodes.push(self.branches(keyword == "with", words, at)?),
                "range" => nodes.push(self.range(words, at)?),
                "define" => self.define(words, at)?,
                "block" => {
                    let name = words.name()?;
                    let pipe = words.pipe(&mut self.variables)?;
                    let inside = self.body(at)?;
                    self.defined.entry(name.clone()).or_insert(inside);
                    nodes.push(Node::Call(name, Some(pipe), at));
                }
                "template" => {
                    let name = words.name()?;
                    let pipe = words.rest.peek().is_some().then(|| words.pipe(&mut self.variables));
                    nodes.push(Node::Call(name, pipe.transpose()?, at));
                }
                "break" | "continue" => {
                    words.end()?;
                    if self.loops == 0 {
                        return error(at, format!("`{keyword}` stands in no `range`"));
                    }
                    nodes.push(if keyword == "break" { Node::Break } else { Node::Continue });
                }
                _ => nodes.push(Node::Print(words.pipe(&mut self.variables)?)),
            }
        }
        self.depth -= 1;
        Ok((nodes, None))
    }

    /// A list that `end` must end.
    fn body(&mut self, open: usize) -> Result<Vec<Node>, TemplateError> {
        match self.list()? {
            (nodes, Some(mut end)) if end.word == "end" => end.words.end().map(|()| nodes),
            (_, Some(end)) => error(end.at, "`else` has no place here"),
            (_, None) => error(open, "there is no `{{end}}`"),
        }
    }

    fn branches(
        &mut self,
        is_with: bool,
        mut words: Words,
        at: usize,
    ) -> Result<Node, TemplateError> {
        let scope = self.variables.len();
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let pipe = words.pipe(&mut self.variables)?;
            let (nodes, end) = self.list()?;
            branches.push((pipe, nodes));
            let Some(mut end) = end else { return error(at, "there is no `{{end}}`") };
            if end.word == "else" {
                let same = if is_with { "with" } else { "if" };
                if matches!(end.words.rest.peek(), Some((Token::Word(word), _)) if word == same) {
                    end.words.rest.next();
                    words = end.words;
                    continue;
                }
                end.words.end()?;
                otherwise = self.body(at)?;
            } else {
                end.words.end()?;
            }
            break;
        }
        self.variables.truncate(scope);
        Ok(if is_with { Node::With(branches, otherwise) } else { Node::If(branches, otherwise) })
    }

    fn range(&mut self, mut words: Words, at: usize) -> Result<Node, TemplateError> {
        let scope = self.variables.len();
        let pipe = words.pipe(&mut self.variables)?;
        self.loops += 1;
        let (nodes, end) = self.list()?;
        self.loops -= 1;
        let Some(mut end) = end else { return error(at, "there is no `{{end}}`") };
        end.words.end()?;
        let otherwise = if end.word == "else" { self.body(at)? } else { Vec::new() };
        self.variables.truncate(scope);
        Ok(Node::Range(pipe, nodes, otherwise))
    }

    fn define(&mut self, mut words: Words, at: usize) -> Result<(), TemplateError> {
        let name = words.name()?;
        words.end()?;
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let nodes = self.body(at)?;
        self.variables = outer;
        self.defined.insert(name, nodes);
        Ok(())
    }
}

const KEYWORDS: [&str; 10] =
    ["end", "else", "if", "with", "range", "define", "block", "template", "break", "continue"];

impl Words {
    fn end(&mut self) -> Result<(), TemplateError> {
        match self.rest.next() {
            None => Ok(()),
            Some((_, at)) => error(at, "there is something behind what should be the last word"),
        }
    }

    fn name(&mut self) -> Result<String, TemplateError> {
        match self.rest.next() {
            Some((Token::Text(name), _)) => Ok(name),
            other => error(other.map_or(self.at, |(_, at)| at), "a name in quotes is missing"),
        }
    }

    fn pipe(&mut self, variables: &mut Vec<String>) -> Result<Pipe, TemplateError> {
        let mut pipe =
            Pipe { variables: Vec::new(), is_assignment: false, commands: Vec::new(), at: self.at };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return error(self.at, "too many parentheses inside each other");
        }
        self.declaration(&mut pipe);
        loop {
            pipe.commands.push(self.command(variables)?);
            if self.rest.next_if(|(token, _)| *token == Token::Pipe).is_none() {
                break;
            }
        }
        if self.depth == 1 {
            self.end()?;
        }
        self.depth -= 1;
        for name in &pipe.variables {
            if !pipe.is_assignment {
                variables.push(name.clone());
            } else if !variables.contains(name) {
                return error(pipe.at, format!("there is no variable `{name}`"));
            }
        }
        Ok(pipe)
    }

    /// `$x :=`, `$i, $x :=`, `$x =`.
    fn declaration(&mut self, pipe: &mut Pipe) {
        let mut ahead = self.rest.clone();
        let mut names = Vec::new();
        while let Some((Token::Variable(name), _)) = ahead.next() {
            names.push(name);
            match ahead.next() {
                Some((Token::Comma, _)) if names.len() == 1 => {}
                Some((token @ (Token::Declare | Token::Assign), _)) => {
                    pipe.variables = names;
                    pipe.is_assignment = token == Token::Assign;
                    self.rest = ahead;
                    return;
                }
                _ => break,
            }
        }
    }

    fn command(&mut self, variables: &mut Vec<String>) -> Result<Command, TemplateError> {
        let mut command = Command { words: Vec::new(), at: self.at };
        while let Some((_, at)) =
            self.rest.peek().filter(|(token, _)| !matches!(token, Token::Pipe | Token::Close))
        {
            let at = *at;
            if command.words.is_empty() {
                command.at = at;
            }
            command.words.push(self.operand(at, variables)?);
        }
        if command.words.is_empty() {
            return error(self.at, "a value is missing");
        }
        if let [Operand { base: Base::Nil, .. }] = command.words.as_slice() {
            return error(command.at, "`nil` alone is nothing to print");
        }
        Ok(command)
    }

    fn operand(
        &mut self,
        at: usize,
        variables: &mut Vec<String>,
    ) -> Result<Operand, TemplateError> {
        let mut fields = Vec::new();
        let Some((token, _)) = self.rest.next() else { return error(at, "a value is missing") };
        let base = match token {
            Token::Dot => Base::Dot,
            Token::Field(name, _) => {
                fields.push(name);
                Base::Dot
            }
            Token::Variable(name) if variables.contains(&name) => Base::Variable(name),
            Token::Variable(name) => return error(at, format!("there is no variable `{name}`")),
            Token::Word(word) => match word.as_str() {
                "true" => Base::Bool(true),
                "false" => Base::Bool(false),
                "nil" => Base::Nil,
                name if FUNCTIONS.contains(&name) => Base::Function(word),
                name => return error(at, format!("there is no function `{name}`")),
            },
            Token::Text(text) => Base::Text(text),
            Token::Int(number) => Base::Int(number),
            Token::Float(number) => Base::Float(number),
            Token::Open => {
                let pipe = self.pipe(variables)?;
                if self.rest.next_if(|(token, _)| *token == Token::Close).is_none() {
                    return error(at, "`(` has no `)`");
                }
                Base::Pipe(Box::new(pipe))
            }
            _ => return error(at, "a value is missing"),
        };
        while let Some((Token::Field(name, true), _)) = self.rest.peek() {
            fields.push(name.clone());
            self.rest.next();
        }
        Ok(Operand { base, fields, at })
    }
}
