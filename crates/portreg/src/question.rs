//! The registry as an expression for Nix itself, when it was not evaluated natively.

use std::fmt::Write as _;
use std::path::Path;

use crate::PortPath;

/// What Nix evaluates: the file, its functions called as far as they can be, and from it what may be in a registry.
/// What is not data becomes null, and an attribute that fails is marked, as it says nothing about the others.
const TEXT: &str = r#"
let
  inherit (builtins) functionArgs isAttrs isFunction isInt isList isString listToAttrs map mapAttrs tryEval deepSeq;
  argument = name:
    if name == "lib" then import <nixpkgs/lib>
    else throw "the registry needs the function argument '${name}'";
  call = levels: value:
    if levels > 0 && isFunction value then
      let formals = functionArgs value; in
      call (levels - 1) (value (listToAttrs (map (name: { inherit name; value = argument name; })
        (builtins.filter (name: !formals.${name}) (builtins.attrNames formals)))))
    else value;
  data = levels: value:
    if levels == 0 then null
    else if isAttrs value then
      if value._type or null == "override" then data (levels - 1) value.content
      else if value.type or null == "derivation" then null
      else mapAttrs (_: one: try (data (levels - 1) one)) value
    else if isList value then map (data (levels - 1)) value
    else if isInt value || isString value then value
    else null;
  try = value:
    let result = tryEval (deepSeq value value); in
    if result.success then result.value else { _type = "no value"; };
  select = path: value:
    if path == [ ] then value
    else select (builtins.tail path) value.${builtins.head path};
  top = call 8 (import (/. + FILE));
  root = ROOT;
in
"#;

/// The `_type` of an attribute that fails.
pub(crate) const NO_VALUE: &str = "no value";

/// The expression for the registry `file` below `root`; without a root, the one that is found natively too.
pub(crate) fn expression(file: &Path, root: Option<&PortPath>) -> String {
    let root = match root {
        Some(path) => {
            let names: Vec<String> = path.names().iter().map(|name| quoted(name)).collect();
            format!("select [ {} ] top", names.join(" "))
        }
        None => "if isAttrs (top.ports or null) then top.ports else top".to_owned(),
    };
    let file = quoted(&file.to_string_lossy());
    let mut text = TEXT.replacen("FILE", &file, 1).replacen("ROOT", &root, 1);
    // A registry that is not a set is refused natively; deeper than this, it is no registry.
    write!(text, "{{ registry = if isAttrs root then data 24 root else throw \"not a set\"; }}")
        .unwrap_or_default();
    text
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let root = "config.\"a\\\"${b}\"".parse().unwrap();
        let text = expression(Path::new("/x/ports.nix"), Some(&root));
        assert!(text.contains("select [ \"config\" \"a\\\"\\${b}\" ] top"), "{text}");
        assert!(text.contains("import (/. + \"/x/ports.nix\")"));
    }
}
