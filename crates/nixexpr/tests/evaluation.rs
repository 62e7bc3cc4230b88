//! What evaluates to what. The answers are Nix 2.34's own.

#![expect(clippy::panic, reason = "a helper of tests says what it wanted")]

use nixexpr::{EvalError, Evaluator, Kind, Limits};

fn evaluate(text: &str) -> Result<String, EvalError> {
    let mut nix = Evaluator::new(Limits::default());
    let root = nix.text("t.nix".as_ref(), text)?;
    nix.json(root)
}

#[track_caller]
fn same(cases: &[(&str, &str)]) {
    for (text, json) in cases {
        assert_eq!(
            evaluate(text).map_err(|error| error.to_string()),
            Ok((*json).to_owned()),
            "{text}"
        );
    }
}

#[track_caller]
fn failure(text: &str) -> EvalError {
    match evaluate(text) {
        Ok(json) => panic!("{text}: {json}"),
        Err(error) => error,
    }
}

/// Every text fails as Nix fails on it, with these words.
#[track_caller]
fn fails(cases: &[(&str, &str)]) {
    for (text, words) in cases {
        let error = failure(text);
        assert!(!error.is_refusal(), "{text}: {error}");
        assert_eq!(error.to_string(), *words, "{text}");
    }
}

#[track_caller]
fn refused(cases: &[(&str, &str)]) {
    for (text, words) in cases {
        let error = failure(text);
        assert!(error.is_refusal(), "{text}: {error}");
        assert_eq!(
            error.to_string(),
            format!("{words}, which is not evaluated natively"),
            "{text}"
        );
    }
}

#[test]
fn numbers() {
    same(&[
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("-7 / 2", "-3"),
        ("- -1", "1"),
        ("007", "7"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775807 - 1", "-9223372036854775808"),
        ("1.0", "1.0"),
        ("0.5 + 1", "1.5"),
        (".5 * 2", "1.0"),
        ("toString 0.1", "\"0.100000\""),
        ("1 == 1.0", "true"),
        ("builtins.bitXor 6 3", "5"),
        ("builtins.sub 1 2", "-1"),
    ]);
    fails(&[
        ("9223372036854775808", "t.nix:1:1: syntax error: invalid integer `9223372036854775808`"),
        ("1 / 0", "t.nix:1:1: division by zero"),
        ("1 + \"a\"", "t.nix:1:1: cannot add a string to an integer"),
        ("1 < \"a\"", "t.nix:1:1: cannot compare an integer with a string"),
    ]);
    refused(&[
        ("9223372036854775807 + 1", "t.nix:1:1: integer overflow"),
        ("-9223372036854775807 - 2", "t.nix:1:1: integer overflow"),
        ("4611686018427387904 * 2", "t.nix:1:1: integer overflow"),
        ("(-9223372036854775807 - 1) / -1", "t.nix:1:1: integer overflow"),
        ("0.1", "t.nix:1:1: the float 0.1"),
        ("1.0e308 * 10", "t.nix:1:1: a float that is not finite"),
        ("1.0e999", "t.nix:1:1: the number `1.0e999`"),
    ]);
}

#[test]
fn texts() {
    same(&[
        (r#""a\n\t\"\\\$\q""#, r#""a\n\t\"\\$q""#),
        (r#""$ $$ $a""#, r#""$ $$ $a""#),
        (r#""$${a}""#, r#""$${a}""#),
        (r#""a${"b${"c"}"}d""#, r#""abcd""#),
        ("''\n    a\n      b\n  ''", r#""a\n  b\n""#),
        ("''\n  ${\"x\"}\n    y''", r#""x\n  y""#),
        ("''\n  ''\\n x\n  y''", r#""\nx\ny""#),
        ("''a ''$ ''' ''${b}''", r#""a $ '' ${b}""#),
        ("\"a\r\nb\"", r#""a\nb""#),
        (r#""a" + "b""#, r#""ab""#),
        ("toString [ 1 [ ] [ 2 3 ] null true false \"x\" ]", "\"1 2 3  1  x\""),
        ("builtins.substring 1 (-1) \"abc\"", "\"bc\""),
        ("builtins.replaceStrings [ \"\" \"b\" ] [ \"-\" \"_\" ] \"abc\"", "\"-a-b-c-\""),
        ("builtins.concatStringsSep \",\" [ \"a\" \"b\" ]", "\"a,b\""),
        ("builtins.stringLength \"\u{e9}\"", "2"),
    ]);
    fails(&[
        ("\"${1}\"", "t.nix:1:4: cannot coerce an integer to a string"),
        ("\"a\" + null", "t.nix:1:1: cannot coerce null to a string"),
        ("\"abc", "t.nix:1:2: syntax error: the string is not closed"),
    ]);
    refused(&[
        ("builtins.substring 0 1 \"\u{e9}\"", "t.nix:1:1: half a character"),
        ("\"${./x}\"", "t.nix:1:4: a path as text"),
        ("\"${{ outPath = \"x\"; }}\"", "t.nix:1:4: a set with `outPath` as text"),
    ]);
}

#[test]
fn sets() {
    same(&[
        ("{ b = 1; a = 2; \"B c\" = 3; }", r#"{"B c":3,"a":2,"b":1}"#),
        ("{ a.b = 1; a = { c = 2; }; a.d.e = 3; }", r#"{"a":{"b":1,"c":2,"d":{"e":3}}}"#),
        ("{ a = rec { x = 1; }; a.y = x; } // { x = 5; }", r#"{"a":{"x":1,"y":1},"x":5}"#),
        ("rec { a = 1; b = { inherit a; }; }", r#"{"a":1,"b":{"a":1}}"#),
        ("let a = 1; in rec { inherit a; b = a; }", r#"{"a":1,"b":1}"#),
        ("{ inherit ({ x = 1; y = 2; }) x y; }", r#"{"x":1,"y":2}"#),
        ("rec { inherit (s) x; s = { x = 1; }; }", r#"{"s":{"x":1},"x":1}"#),
        ("{ ${\"a\" + \"b\"} = 1; ${null} = 2; }", r#"{"ab":1}"#),
        ("{ a.${\"b\" + \"\"}.c = 1; }", r#"{"a":{"b":{"c":1}}}"#),
        ("{ a = 1; } ? a", "true"),
        ("{ a.b = 1; } ? a.c.d", "false"),
        ("1 ? a", "false"),
        ("{ a = 1; }.b.c or 2", "2"),
        ("(1).a or 2", "2"),
        ("{ a = 1; b = throw \"x\"; }.a", "1"),
        ("{ a = 1; } // { a = 2; b = 3; }", r#"{"a":2,"b":3}"#),
        ("builtins.attrNames { b = 1; a = 1; A = 1; }", r#"["A","a","b"]"#),
        ("builtins.mapAttrs (n: v: n + toString v) { a = 1; }", r#"{"a":"a1"}"#),
        ("builtins.listToAttrs [ { name = \"a\"; value = 1; } { name = \"a\"; } ]", r#"{"a":1}"#),
        ("builtins.intersectAttrs { a = 1; } { a = 2; b = 3; }", r#"{"a":2}"#),
        ("removeAttrs { a = 1; b = 2; } [ \"a\" \"z\" ]", r#"{"b":2}"#),
        ("builtins.functionArgs ({ a, b ? 1 }: a)", r#"{"a":false,"b":true}"#),
    ]);
    fails(&[
        (
            "{ a = 1; a = 2; }",
            "t.nix:1:10: syntax error: attribute `a` already defined at t.nix:1:3",
        ),
        (
            "{ a.b = 1; a.b.c = 2; }",
            "t.nix:1:12: syntax error: attribute `a.b` already defined at t.nix:1:3",
        ),
        (
            "{ a = 1; inherit a; }",
            "t.nix:1:18: syntax error: attribute `a` already defined at t.nix:1:3",
        ),
        ("{ }.a.b", "t.nix:1:1: attribute `a` missing"),
        ("{ a = 1; }.a.b", "t.nix:1:1: expected a set with `b` but found an integer"),
        ("rec { a = b; b = a; }", "t.nix:1:11: infinite recursion encountered"),
        (
            "let ${\"a\" + \"\"} = 1; in 2",
            "t.nix:1:5: syntax error: dynamic attributes not allowed in let",
        ),
        (
            "{ inherit ${\"a\" + \"\"}; }",
            "t.nix:1:11: syntax error: dynamic attributes not allowed in inherit",
        ),
        ("{ ''a'' = 1; }", "t.nix:1:3: syntax error: `''` cannot start an attribute name"),
    ]);
    refused(&[
        ("rec { __overrides = { }; }", "t.nix:1:7: `__overrides`"),
        ("{ a = 1; ${\"a\"} = 2; }", "t.nix:1:12: a second `a` with a computed name"),
        ("rec { ${\"a\"} = 2; }", "t.nix:1:7: `${\"…\"}` as a name in a recursive set"),
        ("let { body = 1; }", "t.nix:1:1: `let { … }`"),
        ("[ (let { body = 1; }.x) ]", "t.nix:1:4: `let { … }`"),
        ("{ outPath = 1; }", "t.nix:1:1: a set with `outPath`"),
        ("{ __functor = self: x: x; } 1", "t.nix:1:1: a set with `__functor` that is called"),
    ]);
}

#[test]
fn scopes() {
    same(&[
        ("let a = 1; in with { a = 2; b = 3; }; [ a b ]", "[1,3]"),
        ("with { a = 1; }; with { a = 2; }; a", "2"),
        ("with { a = 1; }; with { b = 2; }; a", "1"),
        ("with { true = 1; }; true", "true"),
        ("let true = 1; in true", "1"),
        ("let f = x: y: x - y; in f 5 3", "2"),
        ("({ a, b ? a + 1, ... }@args: [ a b args.c ]) { a = 1; c = 3; }", "[1,2,3]"),
        ("(args@{ a ? 1 }: args ? a) { }", "false"),
        ("let x = 1; y = x; inherit (z) w; z = { w = 2; }; in [ x y w ]", "[1,1,2]"),
        ("with builtins; map (x: x + 1) [ 1 ]", "[2]"),
        ("__add 1 2", "3"),
        ("if true then 1 else throw \"x\"", "1"),
        ("assert 1 == 1; 2", "2"),
        ("false && throw \"x\"", "false"),
        ("true || throw \"x\"", "true"),
        ("false -> throw \"x\"", "true"),
    ]);
    fails(&[
        ("a", "t.nix:1:1: undefined variable `a`"),
        ("{ a = 1; b = x; }.a", "t.nix:1:14: undefined variable `x`"),
        ("with { }; a", "t.nix:1:11: undefined variable `a`"),
        ("({ a }: a) { }", "t.nix:1:1: function called without required argument `a`"),
        ("({ a }: a) { a = 1; b = 2; }", "t.nix:1:1: function called with unexpected argument `b`"),
        ("({ a, a }: a)", "t.nix:1:7: syntax error: duplicate formal function argument `a`"),
        ("1 2", "t.nix:1:1: attempt to call something which is not a function but an integer"),
        ("assert 1 > 2; 3", "t.nix:1:1: assertion `1 > 2` failed"),
        ("throw \"not ${\"today\"}\"", "t.nix:1:1: not today"),
        ("abort \"x\"", "t.nix:1:1: evaluation aborted: x"),
        ("if 1 then 2 else 3", "t.nix:1:4: expected a Boolean but found an integer"),
        ("x: x", "t.nix:1:1: cannot convert a function to JSON"),
        ("[ x: x ]", "t.nix:1:3: syntax error: a function must be in parentheses here"),
        ("(1]", "t.nix:1:3: syntax error: unexpected `]`, expected `)`"),
        ("{ } ? a ? b", "t.nix:1:1: syntax error: `?` cannot follow `?`"),
    ]);
    refused(&[
        ("let __sub = a: b: 1; in 2 - 1", "t.nix:1:5: a variable named `__sub`"),
        ("builtins.currentSystem", "t.nix:1:1: `builtins.currentSystem`"),
        ("builtins ? nothing", "t.nix:1:1: `builtins.nothing`"),
        ("<nixpkgs>", "t.nix:1:1: a search path"),
        ("http://example.org", "t.nix:1:1: a URL without quotes"),
        ("1 |> (x: x)", "t.nix:1:3: the operator `|>`"),
        ("x: map or x", "t.nix:1:8: `or` as a variable"),
        ("builtins.tryEval 1", "t.nix:1:1: `builtins.tryEval`"),
        ("__fetchurl", "t.nix:1:1: the variable `__fetchurl`"),
    ]);
}

#[test]
fn comparisons() {
    same(&[
        ("[ 1 \"a\" ] == [ 1 \"a\" ]", "true"),
        ("{ a = 1; } == { a = 1; }", "true"),
        ("{ a = 1; } == { b = 1; }", "false"),
        ("(x: x) == 1", "false"),
        ("[ 1 2 ] < [ 1 3 ]", "true"),
        ("[ ] < [ 1 ]", "true"),
        ("\"a\" < \"b\"", "true"),
        ("1 < 1.5", "true"),
        ("null == { }", "false"),
        ("builtins.elem 2 [ 1 2 ]", "true"),
    ]);
    refused(&[
        ("(x: x) == (x: x)", "t.nix:1:1: `==` on functions"),
        (
            "{ type = \"derivation\"; outPath = 1; } == { type = \"derivation\"; outPath = 1; }",
            "t.nix:1:1: `==` on derivations",
        ),
        ("[ (throw \"x\") ] == [ 1 ]", "t.nix:1:4: a comparison that fails inside (x)"),
    ]);
}

#[test]
fn lists() {
    same(&[
        ("[ 1 ] ++ [ ] ++ [ 2 ]", "[1,2]"),
        ("builtins.length [ (throw \"x\") ]", "1"),
        ("builtins.genList (i: i * i) 3", "[0,1,4]"),
        ("builtins.foldl' (a: b: a + b) 0 [ 1 2 3 ]", "6"),
        ("builtins.foldl' (a: b: b) (throw \"x\") [ 1 ]", "1"),
        ("map (throw \"x\") [ ]", "[]"),
        ("builtins.filter (x: x > 1) [ 1 2 3 ]", "[2,3]"),
        ("builtins.groupBy toString [ 1 2 1 ]", r#"{"1":[1,1],"2":[2]}"#),
        ("builtins.partition (x: x > 1) [ 1 2 ]", r#"{"right":[2],"wrong":[1]}"#),
        ("builtins.concatMap (x: [ x x ]) [ 1 ]", "[1,1]"),
        ("builtins.fromJSON ''{\"a\": [1, 2.5, null, \"x\"], \"a\": 3}''", r#"{"a":3}"#),
        ("builtins.fromTOML ''a.b = 1''", r#"{"a":{"b":1}}"#),
        ("builtins.toJSON { a = [ 1 null ]; }", r#""{\"a\":[1,null]}""#),
    ]);
    fails(&[
        (
            "builtins.elemAt [ 1 ] 1",
            "t.nix:1:1: `builtins.elemAt` called with index 1 on a list of size 1",
        ),
        ("builtins.head [ ]", "t.nix:1:1: `builtins.head` called on an empty list"),
        ("builtins.genList (i: i) (-1)", "t.nix:1:1: cannot create list of size -1"),
        ("builtins.genList 1 0", "t.nix:1:1: expected a function but found an integer"),
    ]);
}

#[test]
fn texts_that_the_parser_reads_otherwise_are_refused() {
    refused(&[
        ("1\u{c}", "t.nix:1:2: text that Nix may split into other words"),
        ("# a\rb\n1", "t.nix:1:1: text that Nix may split into other words"),
        ("1\0", "t.nix:1:2: a NUL byte"),
    ]);
}

#[test]
fn everything_is_bounded() {
    let long = |piece: &str, times: usize, end: &str| piece.repeat(times) + end;
    let texts = [
        "let f = x: f x; in f 1".to_owned(),
        "let f = x: 1 + f x; in f 1".to_owned(),
        "builtins.genList (x: x) 1000000000".to_owned(),
        "builtins.foldl' (a: b: a + a) \"ab\" (builtins.genList (x: x) 64)".to_owned(),
        "builtins.foldl' (a: b: a ++ a) [ 1 ] (builtins.genList (x: x) 64)".to_owned(),
        "let l = [ l ]; in l".to_owned(),
        "builtins.deepSeq (builtins.foldl' (a: b: { n = a; }) { } (builtins.genList (x: x) 100000)) 1".to_owned(),
        "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x + builtins.foldl' (c: d: c + 1) 0 (builtins.genList (y: y) 100000)) 100000)".to_owned(),
        long("[", 100_000, ""),
        long("(", 100_000, "1"),
        long("{a=", 100_000, ""),
        long("a: ", 100_000, "1"),
        long("-", 100_000, "1"),
        long("!", 100_000, "true"),
        long("1+", 100_000, "1"),
        long("a ++ ", 100_000, "a"),
        long("x.y or ", 100_000, "1"),
        long("f ", 100_000, "1"),
        long("let a = 1; in ", 100_000, "1"),
        long("with a; ", 100_000, "1"),
        long("if a then b else ", 100_000, "1"),
        long("\"${", 100_000, ""),
        long("''${", 100_000, ""),
        long(".", 100_000, ""),
        long("<", 100_000, ""),
        long("a", 100_000, ""),
        long("- - ; ", 100_000, ""),
    ];
    for text in texts {
        let error = failure(&text);
        let head: String = text.chars().take(40).collect();
        assert!(matches!(error, EvalError::Limit { .. }), "{head}: {error}");
    }
}

#[test]
fn long_flat_texts_are_read() {
    let entries: Vec<String> = (0..20_000).map(|n| format!("  port{n} = {n}; # {n}")).collect();
    let json = evaluate(&format!("{{\n{}\n}}", entries.join("\n"))).unwrap();
    assert!(json.starts_with(r#"{"port0":0,"port1":1,"port10":10,"#));
    let items = "a.b.c ".repeat(20_000);
    let text = format!("let a.b.c = 1; in builtins.length [ {items} ]");
    assert_eq!(evaluate(&text).unwrap(), "20000");
}

#[test]
fn one_attribute_has_a_value_though_others_fail() {
    let mut nix = Evaluator::new(Limits::default());
    let text = "{ lib, config, ... }: { a = 1; b = lib.x; c = { d = throw \"no\"; e = 2; }; }";
    let root = nix.text("t.nix".as_ref(), text).unwrap();
    let (root, beyond) = nix.apply_head(root).unwrap();
    assert!(beyond);
    let a = nix.select(root, &["a"]).unwrap().unwrap();
    assert_eq!(nix.kind(a).unwrap(), Kind::Int(1));
    let e = nix.select(root, &["c", "e"]).unwrap().unwrap();
    assert_eq!(nix.kind(e).unwrap(), Kind::Int(2));
    let b = nix.select(root, &["b"]).unwrap().unwrap();
    let error = nix.kind(b).unwrap_err();
    assert_eq!(
        error.to_string(),
        "t.nix:1:36: this needs the function argument `lib`, which is not evaluated natively"
    );
    let d = nix.select(root, &["c", "d"]).unwrap().unwrap();
    assert_eq!(nix.kind(d).unwrap_err().to_string(), "t.nix:1:53: no");
    assert_eq!(nix.select(root, &["a", "x"]).unwrap(), None);
    assert_eq!(nix.select(root, &["nope"]).unwrap(), None);
}

#[test]
fn a_head_with_defaults_is_applied_as_nix_applies_it() {
    let mut nix = Evaluator::new(Limits::default());
    let root = nix.text("t.nix".as_ref(), "{ a ? 1 }: _: { inherit a; }").unwrap();
    let (root, beyond) = nix.apply_head(root).unwrap();
    assert!(beyond, "the second head has no default");
    assert_eq!(nix.json(root).unwrap(), r#"{"a":1}"#);
    let root = nix.text("t.nix".as_ref(), "{ a ? 1 }: { inherit a; }").unwrap();
    assert!(!nix.apply_head(root).unwrap().1);
}

#[test]
fn values_know_where_they_were_written() {
    let mut nix = Evaluator::new(Limits::default());
    let text = "rec {\n  ssh = 22;\n  usual = [ ssh (ssh + 1) ];\n  alias = ssh;\n}";
    let root = nix.text("t.nix".as_ref(), text).unwrap();
    let alias = nix.select(root, &["alias"]).unwrap().unwrap();
    let written = nix.written(alias).unwrap();
    assert_eq!((written.place.to_string().as_str(), written.literal), ("t.nix:2:9", true));
    assert_eq!(&text[written.span.range()], "22");
    let usual = nix.select(root, &["usual"]).unwrap().unwrap();
    let items = nix.items(usual).unwrap();
    assert_eq!(nix.written(items[0]).unwrap(), written);
    let computed = nix.written(items[1]).unwrap();
    assert_eq!((computed.literal, &text[computed.span.range()]), (false, "ssh + 1"));
    let attributes = nix.attributes(root).unwrap();
    let names: Vec<&str> = attributes.iter().map(|attribute| &*attribute.name).collect();
    assert_eq!(names, ["alias", "ssh", "usual"]);
    let binding = attributes[1].binding.as_ref().unwrap();
    assert_eq!(&binding.text[binding.span.range()], "ssh = 22;");
    assert_eq!(binding.place.to_string(), "t.nix:2:3");
}
