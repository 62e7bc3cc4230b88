//! Ports in Nix source, found in its tree.

use std::ops::Range;

use nixexpr::{Call, Leaf, Literal as Value, leaves};

use super::name::{is_port, is_port_ranges, is_ports};
use super::page::port;
use super::scan::{Form, Literal, literals_of_string};

/// Functions that hand on what they get, and the argument that they hand on.
const TRANSPARENT: [(&str, usize); 13] = [
    ("mkAfter", 0),
    ("mkBefore", 0),
    ("mkDefault", 0),
    ("mkForce", 0),
    ("mkIf", 1),
    ("mkOptionDefault", 0),
    ("mkOrder", 1),
    ("mkOverride", 1),
    ("mkVMOverride", 0),
    ("optional", 1),
    ("optionals", 1),
    ("singleton", 0),
    ("toString", 0),
];

/// The ports of a Nix text, or of bindings without the set around them; none when it is neither.
pub(super) fn literals(text: &str) -> Option<Vec<Literal>> {
    let mut found = Vec::new();
    if leaves(text, |leaf| see(leaf, 0, &mut found)).is_ok() {
        return Some(found);
    }
    found.clear();
    let wrapped = format!("{{{text}\n}}");
    leaves(&wrapped, |leaf| see(leaf, 1, &mut found)).ok()?;
    Some(found)
}

fn see(leaf: &Leaf<'_>, shift: usize, found: &mut Vec<Literal>) {
    let span = leaf.span.range();
    let at = |range: Range<usize>| {
        let start = span.start - shift;
        start + range.start..start + range.end
    };
    let sure = |port: u16, range: Range<usize>| Literal { port, at: at(range), form: Form::Sure };
    match leaf.value {
        Value::Int(number) => {
            let number = u16::try_from(number).ok().filter(|number| *number > 0);
            if let Some(number) = number.filter(|_| is_port_here(leaf)) {
                found.push(sure(number, 0..span.len()));
            }
        }
        Value::Text(text) => match port(text.as_bytes()) {
            Some(number) if is_port_here(leaf) || is_value_of_option(leaf) => {
                found.push(sure(number, 0..span.len()));
            }
            Some(_) => {}
            None => {
                let in_ports = (leaf.in_list
                    && leaf.path.last().is_some_and(|name| is_ports(name)))
                    || matches!(leaf.previous, Some("-p" | "--publish"));
                let inside = literals_of_string(text, in_ports).into_iter();
                found.extend(inside.map(|literal| Literal { at: at(literal.at), ..literal }));
            }
        },
        Value::Name(text) => {
            let number = ["/tcp", "/udp", "/sctp"]
                .iter()
                .find_map(|protocol| text.strip_suffix(protocol))
                .filter(|_| leaf.path.iter().any(|name| name.eq_ignore_ascii_case("ExposedPorts")));
            if let Some(number) = number
                && let Some(port) = port(number.as_bytes())
            {
                found.push(sure(port, 0..number.len()));
            }
        }
    }
}

/// Whether a number is a port by the attribute it is the value of.
fn is_port_here(leaf: &Leaf<'_>) -> bool {
    if leaf.in_operation || !leaf.calls.iter().all(is_transparent) {
        return false;
    }
    let Some((name, around)) = leaf.path.split_last() else { return false };
    // In a list, a string with one number is the side of a container.
    let is_number = matches!(leaf.value, Value::Int(_));
    is_port(name)
        || (leaf.in_list && is_number && is_ports(name))
        || (matches!(&**name, "from" | "to")
            && around.last().is_some_and(|name| is_port_ranges(name)))
}

/// `"--port" "N"`.
fn is_value_of_option(leaf: &Leaf<'_>) -> bool {
    leaf.previous.is_some_and(|option| option.starts_with("--") && is_port(option))
}

fn is_transparent(call: &Call) -> bool {
    let name = call.function.rsplit('.').next().unwrap_or_default();
    TRANSPARENT.contains(&(name, call.argument))
}
