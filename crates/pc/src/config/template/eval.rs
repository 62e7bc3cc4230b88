//! Templates at work.

use std::cell::RefCell;

use super::format::{Shown, print, printf};
use super::parse::{Base, Command, Node, Operand, Pipe, Template};
use super::{TemplateError, Value, functions};

/// The most bytes that a template may print.
const MAX_BYTES: usize = 4 << 20;
/// The most actions that it may take.
const MAX_STEPS: usize = 1_000_000;
/// The most templates inside each other.
const MAX_DEPTH: usize = 50;

/// Which fields were asked for.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) missing: Vec<String>,
    pub(super) used: Vec<Vec<String>>,
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'a> {
    template: &'a Template,
    seen: &'a RefCell<Seen>,
    variables: Vec<(String, Value)>,
    out: String,
    steps: usize,
    depth: usize,
}

fn error<T>(at: usize, what: impl Into<String>) -> Result<T, TemplateError> {
    Err(TemplateError { at, what: what.into() })
}

pub(super) fn run(
    template: &Template,
    data: &Value,
    seen: &RefCell<Seen>,
) -> Result<String, TemplateError> {
    let variables = vec![("$".to_owned(), data.clone())];
    let mut run = Run { template, seen, variables, out: String::new(), steps: 0, depth: 0 };
    run.list(&template.nodes, data)?;
    Ok(run.out)
}

impl Run<'_> {
    fn list(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, TemplateError> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn step(&mut self, at: usize) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.out.len() > MAX_BYTES {
            return error(at, "the template takes too long or prints too much");
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, TemplateError> {
        let scope = self.variables.len();
        match node {
            Node::Text(text) => {
                self.step(0)?;
                self.out.push_str(text);
            }
            Node::Print(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    self.out.push_str(&print(&value, Shown::Alone));
                }
                // A declaration lives on to the end of the list around it.
                return Ok(Flow::On);
            }
            Node::If(branches, otherwise) => {
                for (pipe, nodes) in branches {
                    if functions::is_true(&self.pipe(pipe, dot)?) {
                        let flow = self.list(nodes, dot)?;
                        self.variables.truncate(scope);
                        return Ok(flow);
                    }
                }
                let flow = self.list(otherwise, dot)?;
                self.variables.truncate(scope);
                return Ok(flow);
            }
            Node::With(branches, otherwise) => {
                for (pipe, nodes) in branches {
                    let value = self.pipe(pipe, dot)?;
                    if functions::is_true(&value) {
                        let flow = self.list(nodes, &value)?;
                        self.variables.truncate(scope);
                        return Ok(flow);
                    }
                }
                let flow = self.list(otherwise, dot)?;
                self.variables.truncate(scope);
                return Ok(flow);
            }
            Node::Range(pipe, nodes, otherwise) => self.range(pipe, nodes, otherwise, dot)?,
            Node::Call(name, pipe, at) => self.call(name, pipe.as_ref(), *at, dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn range(
        &mut self,
        pipe: &Pipe,
        nodes: &[Node],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<(), TemplateError> {
        let scope = self.variables.len();
        let over = self.commands(pipe, dot)?;
        let items: Vec<(Value, Value)> = match &over {
            Value::Nil => Vec::new(),
            Value::List(items) => (0..).map(Value::Int).zip(items.iter().cloned()).collect(),
            Value::Map(map) => {
                map.iter().map(|(key, value)| (Value::text(key), value.clone())).collect()
            }
            Value::Int(count) => {
                let count = (*count).min(i64::try_from(MAX_STEPS).unwrap_or(i64::MAX));
                (0..count).map(|n| (Value::Int(n), Value::Int(n))).collect()
            }
            other => {
                return error(
                    pipe.at,
                    format!("`range` cannot go over {}", functions::kind(other)),
                );
            }
        };
        if items.is_empty() {
            self.list(otherwise, dot)?;
        }
        for (key, value) in items {
            self.step(pipe.at)?;
            self.variables.truncate(scope);
            match pipe.variables.as_slice() {
                [one] => self.set(pipe, one, value.clone()),
                [first, second] => {
                    self.set(pipe, first, key);
                    self.set(pipe, second, value.clone());
                }
                _ => {}
            }
            if self.list(nodes, &value)? == Flow::Break {
                break;
            }
        }
        self.variables.truncate(scope);
        Ok(())
    }

    fn call(
        &mut self,
        name: &str,
        pipe: Option<&Pipe>,
        at: usize,
        dot: &Value,
    ) -> Result<(), TemplateError> {
        let value = pipe.map_or(Ok(Value::Nil), |pipe| self.pipe(pipe, dot))?;
        let template = self.template;
        let Some(nodes) = template.defined.get(name) else {
            return error(at, format!("there is no template `{name}`"));
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return error(at, "too many templates inside each other");
        }
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), value.clone())]);
        self.list(nodes, &value)?;
        self.variables = outer;
        self.depth -= 1;
        Ok(())
    }

    /// The value of a pipe; its variables are set.
    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, TemplateError> {
        let value = self.commands(pipe, dot)?;
        if let [name] = pipe.variables.as_slice() {
            self.set(pipe, name, value.clone());
        } else if pipe.variables.len() > 1 {
            return error(pipe.at, "only `range` sets two variables");
        }
        Ok(value)
    }

    fn set(&mut self, pipe: &Pipe, name: &str, value: Value) {
        if pipe.is_assignment
            && let Some((_, old)) = self.variables.iter_mut().rev().find(|(known, _)| known == name)
        {
            *old = value;
            return;
        }
        self.variables.push((name.to_owned(), value));
    }

    fn commands(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, TemplateError> {
        self.step(pipe.at)?;
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or_default())
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, TemplateError> {
        let Some((first, rest)) = command.words.split_first() else { return Ok(Value::Nil) };
        let Base::Function(name) = &first.base else {
            if !rest.is_empty() || piped.is_some() {
                return error(first.at, "only a function takes arguments");
            }
            return self.operand(first, dot);
        };
        if matches!(name.as_str(), "and" | "or") {
            return self.short_circuit(name == "and", rest, piped, command.at, dot);
        }
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            arguments.push(self.operand(operand, dot)?);
        }
        arguments.extend(piped);
        let value = if name == "printf" {
            let Some((Value::Text(format), rest)) = arguments.split_first() else {
                return error(command.at, "`printf` takes a format first");
            };
            Value::text(&printf(format, rest))
        } else {
            functions::call(name, &arguments)
                .map_err(|what| TemplateError { at: command.at, what })?
        };
        self.fields(value, &first.fields, first.at, None)
    }

    fn short_circuit(
        &mut self,
        is_and: bool,
        operands: &[Operand],
        piped: Option<Value>,
        at: usize,
        dot: &Value,
    ) -> Result<Value, TemplateError> {
        let mut last = None;
        for operand in operands {
            let value = self.operand(operand, dot)?;
            if functions::is_true(&value) != is_and {
                return Ok(value);
            }
            last = Some(value);
        }
        match piped.or(last) {
            Some(value) => Ok(value),
            None => error(at, "`and` and `or` take a value"),
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, TemplateError> {
        let mut path = None;
        let value = match &operand.base {
            Base::Dot => {
                // Fields of the data itself are worth remembering.
                let is_data = self.variables.first().is_some_and(|(_, data)| same(data, dot));
                path = (self.depth == 0 && is_data).then(Vec::new);
                dot.clone()
            }
            Base::Variable(name) => {
                path = (self.depth == 0 && name == "$").then(Vec::new);
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            }
            Base::Function(_) => {
                let command = Command { words: Vec::new(), at: operand.at };
                return self.bare(operand, &command, dot);
            }
            Base::Text(text) => Value::text(text),
            Base::Int(number) => Value::Int(*number),
            Base::Float(number) => Value::Float(*number),
            Base::Bool(truth) => Value::Bool(*truth),
            Base::Nil => Value::Nil,
            Base::Pipe(pipe) => self.pipe(pipe, dot)?,
        };
        self.fields(value, &operand.fields, operand.at, path)
    }

    /// A function that stands as an argument, so without its own.
    fn bare(
        &mut self,
        operand: &Operand,
        command: &Command,
        _dot: &Value,
    ) -> Result<Value, TemplateError> {
        let Base::Function(name) = &operand.base else { return Ok(Value::Nil) };
        let value =
            functions::call(name, &[]).map_err(|what| TemplateError { at: command.at, what })?;
        self.fields(value, &operand.fields, operand.at, None)
    }

    fn fields(
        &mut self,
        value: Value,
        fields: &[String],
        at: usize,
        mut path: Option<Vec<String>>,
    ) -> Result<Value, TemplateError> {
        let mut value = value;
        for (index, field) in fields.iter().enumerate() {
            if let Some(path) = &mut path {
                path.push(field.clone());
            }
            value = match &value {
                Value::Map(map) => {
                    if !map.contains_key(field) {
                        let name = format!(".{}", fields[..=index].join("."));
                        self.seen.borrow_mut().missing.push(name);
                    }
                    map.get(field).cloned().unwrap_or_default()
                }
                Value::Nil => {
                    return error(
                        at,
                        format!(
                            "`.{field}` of nothing: `.{}` is not set",
                            fields[..index].join(".")
                        ),
                    );
                }
                other => {
                    return error(at, format!("`.{field}` of {}", functions::kind(other)));
                }
            };
        }
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            self.seen.borrow_mut().used.push(path);
        }
        Ok(value)
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => std::rc::Rc::ptr_eq(a, b),
        _ => false,
    }
}
