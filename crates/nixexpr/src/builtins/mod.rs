//! Builtins: those of Nix whose results depend on their arguments alone, and that all tested versions agree on.

mod data;
mod lists;
mod sets;
mod texts;

use std::rc::Rc;

use crate::error::EvalError;
use crate::expr::Expr;
use crate::machine::{Done, Machine};
use crate::value::{Attr, Attrs, Origin, Slot, Value};

/// Names the builtins once: the variant, the name in `builtins`, and how many arguments it takes.
macro_rules! builtins {
    ($($variant:ident $name:literal $arity:literal),* $(,)?) => {
        /// A builtin function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Builtin {
            $($variant),*
        }

        const ALL: &[(Builtin, &str)] = &[$((Builtin::$variant, $name)),*];

        impl Builtin {
            /// How many arguments it takes.
            pub(crate) fn arity(self) -> usize {
                match self {
                    $(Self::$variant => $arity),*
                }
            }
        }
    };
}

builtins! {
    Abort "abort" 1,
    Add "add" 2,
    All "all" 2,
    Any "any" 2,
    AttrNames "attrNames" 1,
    AttrValues "attrValues" 1,
    BitAnd "bitAnd" 2,
    BitOr "bitOr" 2,
    BitXor "bitXor" 2,
    CatAttrs "catAttrs" 2,
    ConcatLists "concatLists" 1,
    ConcatMap "concatMap" 2,
    ConcatStringsSep "concatStringsSep" 2,
    DeepSeq "deepSeq" 2,
    Div "div" 2,
    Elem "elem" 2,
    ElemAt "elemAt" 2,
    Filter "filter" 2,
    Foldl "foldl'" 3,
    FromJson "fromJSON" 1,
    FromToml "fromTOML" 1,
    FunctionArgs "functionArgs" 1,
    GenList "genList" 2,
    GetAttr "getAttr" 2,
    GroupBy "groupBy" 2,
    HasAttr "hasAttr" 2,
    Head "head" 1,
    Import "import" 1,
    IntersectAttrs "intersectAttrs" 2,
    IsAttrs "isAttrs" 1,
    IsBool "isBool" 1,
    IsFloat "isFloat" 1,
    IsFunction "isFunction" 1,
    IsInt "isInt" 1,
    IsList "isList" 1,
    IsNull "isNull" 1,
    IsPath "isPath" 1,
    IsString "isString" 1,
    Length "length" 1,
    LessThan "lessThan" 2,
    ListToAttrs "listToAttrs" 1,
    Map "map" 2,
    MapAttrs "mapAttrs" 2,
    Mul "mul" 2,
    Partition "partition" 2,
    ReadFile "readFile" 1,
    RemoveAttrs "removeAttrs" 2,
    ReplaceStrings "replaceStrings" 3,
    Seq "seq" 2,
    StringLength "stringLength" 1,
    Sub "sub" 2,
    Substring "substring" 3,
    Tail "tail" 1,
    Throw "throw" 1,
    ToJson "toJSON" 1,
    ToString "toString" 1,
    TypeOf "typeOf" 1,
}

/// Builtins that are variables by themselves; all others are so with `__` before their name.
const BARE: [&str; 8] =
    ["abort", "fromTOML", "import", "isNull", "map", "removeAttrs", "throw", "toString"];
/// Variables that every Nix has and that are not evaluated here.
const REFUSED: [(&str, &str); 11] = [
    ("baseNameOf", "`baseNameOf`"),
    ("break", "`break`"),
    ("derivation", "`derivation`"),
    ("derivationStrict", "`derivationStrict`"),
    ("dirOf", "`dirOf`"),
    ("fetchGit", "`fetchGit`"),
    ("fetchMercurial", "`fetchMercurial`"),
    ("fetchTarball", "`fetchTarball`"),
    ("placeholder", "`placeholder`"),
    ("scopedImport", "`scopedImport`"),
    ("__currentSystem", "`builtins.currentSystem`"),
];

/// What a variable is that no scope has.
#[derive(Debug)]
pub(crate) enum BaseName {
    Expr(Expr),
    /// It may be a builtin of some version of Nix.
    Unknown,
    None,
}

/// Looks a variable up among those that every file has.
pub(crate) fn base_name(name: &str) -> BaseName {
    let expr = match name {
        "true" => Expr::Bool(true),
        "false" => Expr::Bool(false),
        "null" => Expr::Null,
        "builtins" => Expr::Builtins,
        _ => {
            let (plain, hidden) = match name.strip_prefix("__") {
                Some(plain) => (plain, true),
                None => (name, false),
            };
            let known = ALL.iter().find(|(_, known)| *known == plain);
            match known {
                Some((builtin, _)) if hidden != BARE.contains(&plain) => Expr::Builtin(*builtin),
                _ => match REFUSED.iter().find(|(refused, _)| *refused == name) {
                    Some((_, what)) => Expr::Refused(what),
                    None if hidden || name == "fetchTree" || name == "fetchFinalTree" => {
                        return BaseName::Unknown;
                    }
                    None => return BaseName::None,
                },
            }
        }
    };
    BaseName::Expr(expr)
}

/// The set `builtins`.
pub(crate) fn set(machine: &mut Machine, at: Origin) -> Result<Rc<Attrs>, EvalError> {
    if let Some(set) = &machine.builtins {
        return Ok(Rc::clone(set));
    }
    let constants =
        [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)];
    let functions = ALL.iter().map(|&(builtin, name)| (name, Value::Builtin(builtin)));
    let mut entries = Vec::with_capacity(ALL.len() + constants.len());
    for (name, value) in functions.chain(constants) {
        let slot = machine.done(value, at)?;
        entries.push(Attr { name: machine.symbols.intern(name), slot, binding: None });
    }
    let set = Rc::new(Attrs::builtins(entries));
    machine.builtins = Some(Rc::clone(&set));
    Ok(set)
}

/// The arguments of a builtin and the call they are in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    arguments: &'a [Slot],
    at: Origin,
}

impl Call<'_> {
    fn slot(&self, index: usize) -> Slot {
        self.arguments[index]
    }
}

impl Machine {
    /// Calls a builtin with all its arguments.
    pub(crate) fn builtin(
        &mut self,
        builtin: Builtin,
        arguments: &[Slot],
        at: Origin,
    ) -> Result<Done, EvalError> {
        use Builtin as B;
        let call = Call { arguments, at };
        match builtin {
            // These give a value that was there before, with its origin.
            B::ElemAt => self.elem_at(call),
            B::Foldl => self.foldl(call),
            B::GetAttr => self.get_attr(call),
            B::Head => self.head(call),
            B::Import => self.import(call.slot(0), at),
            B::Seq => {
                self.force(call.slot(0), at)?;
                self.force(call.slot(1), at)
            }
            B::DeepSeq => {
                self.force_deep(call.slot(0), at)?;
                self.force(call.slot(1), at)
            }
            other => Ok((self.computed(other, call)?, at)),
        }
    }

    /// Calls a builtin that makes a value of its own.
    fn computed(&mut self, builtin: Builtin, call: Call<'_>) -> Result<Value, EvalError> {
        use Builtin as B;
        let at = call.at;
        Ok(match builtin {
            B::Add | B::Sub | B::Mul | B::Div | B::LessThan => self.number(builtin, call)?,
            B::BitAnd | B::BitOr | B::BitXor => self.bits(builtin, call)?,
            B::IsAttrs
            | B::IsBool
            | B::IsFloat
            | B::IsFunction
            | B::IsInt
            | B::IsList
            | B::IsNull
            | B::IsPath
            | B::IsString
            | B::TypeOf => self.kind(builtin, call)?,
            B::All => Value::Bool(self.any(call, false)?),
            B::Any => Value::Bool(self.any(call, true)?),
            B::ConcatLists => self.concat_lists(call)?,
            B::ConcatMap => self.concat_map(call)?,
            B::Elem => self.elem(call)?,
            B::Filter => self.filter(call)?,
            B::GenList => self.gen_list(call)?,
            B::GroupBy => self.group_by(call)?,
            B::Length => {
                let items = self.force_list(call.slot(0), at)?;
                Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX))
            }
            B::Map => self.map(call)?,
            B::Partition => self.partition(call)?,
            B::Tail => self.tail(call)?,
            B::AttrNames => self.attr_names(call)?,
            B::AttrValues => self.attr_values(call)?,
            B::CatAttrs => self.cat_attrs(call)?,
            B::FunctionArgs => self.function_args(call)?,
            B::HasAttr => self.has_attr(call)?,
            B::IntersectAttrs => self.intersect_attrs(call)?,
            B::ListToAttrs => self.list_to_attrs(call)?,
            B::MapAttrs => self.map_attrs(call)?,
            B::RemoveAttrs => self.remove_attrs(call)?,
            B::Abort | B::Throw => return Err(self.thrown(builtin, call)?),
            B::ConcatStringsSep => self.concat_strings_sep(call)?,
            B::ReplaceStrings => self.replace_strings(call)?,
            B::StringLength => self.string_length(call)?,
            B::Substring => self.substring(call)?,
            B::ToString => {
                let (value, _) = self.force(call.slot(0), at)?;
                Value::Str(self.coerce(&value, true, at)?.into())
            }
            B::FromJson => self.read_json(call)?,
            B::FromToml => self.read_toml(call)?,
            B::ReadFile => self.read_file(call.slot(0), at)?,
            B::ElemAt | B::Foldl | B::GetAttr | B::Head | B::Import | B::Seq | B::DeepSeq => {
                return Err(self.refuse(at, "a builtin of an unknown kind"));
            }
            B::ToJson => Value::Str(self.json(call.slot(0), at)?.into()),
        })
    }

    fn number(&mut self, builtin: Builtin, call: Call<'_>) -> Result<Value, EvalError> {
        let (a, _) = self.force(call.slot(0), call.at)?;
        let (b, _) = self.force(call.slot(1), call.at)?;
        match builtin {
            Builtin::Add => self.sum(&a, &b, call.at),
            Builtin::Sub => self.subtract(&a, &b, call.at),
            Builtin::Mul => self.multiply(&a, &b, call.at),
            Builtin::Div => self.divide(&a, &b, call.at),
            _ => Ok(Value::Bool(self.less(&a, &b, call.at)?)),
        }
    }

    fn bits(&mut self, builtin: Builtin, call: Call<'_>) -> Result<Value, EvalError> {
        let a = self.force_int(call.slot(0), call.at)?;
        let b = self.force_int(call.slot(1), call.at)?;
        Ok(Value::Int(match builtin {
            Builtin::BitAnd => a & b,
            Builtin::BitOr => a | b,
            _ => a ^ b,
        }))
    }

    fn kind(&mut self, builtin: Builtin, call: Call<'_>) -> Result<Value, EvalError> {
        let (value, _) = self.force(call.slot(0), call.at)?;
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "string",
            Value::Path(_) => "path",
            Value::List(_) => "list",
            Value::Set(_) => "set",
            Value::Lambda { .. } | Value::Builtin(_) | Value::Partial(..) => "lambda",
        };
        let wanted = match builtin {
            Builtin::IsAttrs => "set",
            Builtin::IsBool => "bool",
            Builtin::IsFloat => "float",
            Builtin::IsFunction => "lambda",
            Builtin::IsInt => "int",
            Builtin::IsList => "list",
            Builtin::IsNull => "null",
            Builtin::IsPath => "path",
            Builtin::IsString => "string",
            _ => return Ok(Value::text(name)),
        };
        Ok(Value::Bool(name == wanted))
    }

    fn thrown(&mut self, builtin: Builtin, call: Call<'_>) -> Result<EvalError, EvalError> {
        let (value, _) = self.force(call.slot(0), call.at)?;
        let text = self.coerce(&value, false, call.at)?;
        let what = match builtin {
            Builtin::Abort => format!("evaluation aborted: {text}"),
            _ => text,
        };
        Ok(self.fail(call.at, what))
    }
}
