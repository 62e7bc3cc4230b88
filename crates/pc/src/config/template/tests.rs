use super::*;

fn data() -> Value {
    let map = |pairs: Vec<(&str, Value)>| {
        Value::Map(Rc::new(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()))
    };
    map(vec![
        ("G", Value::text("gv")),
        ("N", Value::Int(5)),
        ("F", Value::Float(1.5)),
        ("T", Value::Bool(true)),
        ("E", Value::text("")),
        ("NULL", Value::Nil),
        ("L", Value::List(vec![Value::text("a"), Value::Int(2), Value::Nil].into())),
        ("M", map(vec![("b", Value::Int(2)), ("a", map(vec![("x", Value::text("deep"))]))])),
        ("PC_REPLICA_NUM", Value::Int(0)),
    ])
}

fn rendered(template: &str) -> String {
    render(template, &data())
        .map_or_else(|error| format!("{}: {error}", error.at), |done| done.text)
}

/// What Go prints.
#[test]
fn as_go_does() {
    for (template, text) in [
        ("plain { } }} text", "plain { } }} text"),
        (
            "[{{.G}}] [{{.MISSING}}] [{{.NULL}}] [{{.PC_REPLICA_NUM}}]",
            "[gv] [<no value>] [<no value>] [0]",
        ),
        ("{{or .MISSING 7}} {{and .T .G}} {{and .E .G}}|{{or .E .MISSING}}", "7 gv |<no value>"),
        (
            "{{printf \"%03d|%-4d|%+d|%x|%5.2f|%q|%v\" .N .N .N 255 .F .G .T}}",
            "005|5   |+5|ff| 1.50|\"gv\"|true",
        ),
        ("{{printf \"%s %d\" .MISSING .G}}", "%!s(<nil>) %!d(string=gv)"),
        (
            "{{printf \"%d\"}} {{printf \"x\" 1}} {{printf \"%v\" .L}}",
            "%!d(MISSING) x%!(EXTRA int=1) [a 2 <nil>]",
        ),
        ("{{if and .T .G}}yes{{else}}no{{end}}", "yes"),
        ("{{if .E}}1{{else if .N}}2{{else}}3{{end}}", "2"),
        ("{{\"{{.Raw}}\"}} {{`a\\b`}} {{\"\\u00e9\\n\"}}", "{{.Raw}} a\\b é\n"),
        ("a {{- 3 -}} b {{-3}}", "a3b -3"),
        ("{{/* words */}}x{{- /* words */ -}} y", "xy"),
        ("{{range .L}}<{{.}}>{{end}}{{range .NONE}}{{else}}none{{end}}", "<a><2><<no value>>none"),
        ("{{range $i, $x := .L}}{{$i}}={{$x}};{{end}}", "0=a;1=2;2=<no value>;"),
        ("{{range $k, $v := .M}}{{$k}} {{end}}{{range 3}}{{.}}{{end}}", "a b 012"),
        ("{{range 3}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}", "01"),
        ("{{range 3}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{end}}", "02"),
        ("{{with .M.a}}{{.x}}{{end}}{{with .E}}{{else}}empty{{end}}", "deepempty"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}} {{$.G}}", "2 gv"),
        (
            "{{define \"t\"}}[{{.}}]{{end}}{{template \"t\" .G}}{{template \"t\"}}",
            "[gv][<no value>]",
        ),
        ("{{block \"b\" .N}}{{.}}{{end}}", "5"),
        ("{{.G | printf \"%s-%s\" \"a\"}} {{(index .M \"a\").x}} {{index .L 1}}", "a-gv deep 2"),
        (
            "{{len .G}} {{not .T}} {{eq .N 1 5}} {{ne .G \"x\"}} {{lt 1 2}} {{ge \"a\" \"b\"}}",
            "2 false true true true false",
        ),
        (
            "{{slice .G 1}} {{slice .L 0 1}} {{print 1 2 \"x\" 3}} {{println 1 \"x\"}}",
            "v [a] 1 2x3 1 x\n",
        ),
        (
            "{{html \"<a&'\"}} {{js \"a'<\"}} {{urlquery \"a b&c\"}}",
            "&lt;a&amp;&#39; a\\'\\u003C a+b%26c",
        ),
        (
            "{{.M}} {{.F}} {{1e21}} {{1000000.0}} {{0.00001}} {{'a'}}",
            "map[a:map[x:deep] b:2] 1.5 1e+21 1e+06 1e-05 97",
        ),
        (
            "{{printf \"%*d|%.2s|%-5s|%05s|%t|%T|%%\" 4 .N \"abc\" \"x\" \"x\" .T .F}}",
            "   5|ab|x    |0000x|true|float64|%",
        ),
        (
            "{{printf \"%e %g %08.3f %x %#x %o %b %c %U\" 12345.678 0.1 3.14159 \"hi\" 10 8 5 65 65}}",
            "1.234568e+04 0.1 0003.142 6869 0xa 10 101 A U+0041",
        ),
    ] {
        assert_eq!(rendered(template), text, "{template}");
    }
}

#[test]
fn mistakes() {
    for (template, at, word) in [
        ("echo '{{bad'", 11, "single"),
        ("{{nil}}", 2, "nothing"),
        ("{{bad}}", 2, "function `bad`"),
        ("{{.A", 0, "no `}}`"),
        ("{{'bad'}}", 2, "single"),
        ("{{nope .A}}", 2, "no function `nope`"),
        ("{{if .A}}", 0, "{{end}}"),
        ("{{end}}", 0, "ends nothing"),
        ("{{}}", 0, "nothing between"),
        ("{{$x}}", 2, "no variable"),
        ("{{.G.x}}", 2, "of text"),
        ("{{.MISSING.x}}", 2, "not set"),
        ("{{.G .N}}", 2, "function takes"),
        ("{{template \"x\"}}", 0, "no template"),
        ("{{(.G}}", 2, "no `)`"),
        ("{{\"x}}", 2, "no end"),
        ("{{call .G}}", 2, "call"),
        ("{{eq 1 \"a\"}}", 2, "compared"),
        ("{{break}}", 0, "no `range`"),
    ] {
        let error = render(template, &data()).unwrap_err();
        assert!(error.what.contains(word), "{template}: {error}");
        assert_eq!(error.at, at, "{template}: {error}");
    }
}

#[test]
fn fields_are_remembered() {
    let done = render("{{.G}} {{.NO}} {{with .M}}{{.b}}{{end}} {{$.M.a.x}}", &data()).unwrap();
    assert_eq!(done.missing, [".NO"]);
    let used: Vec<String> = done.used.iter().map(|path| path.join(".")).collect();
    assert_eq!(used, ["G", "NO", "M", "M.a.x"]);
}

#[test]
fn bombs() {
    for template in [
        "{{range 100000}}{{range 100000}}x{{end}}{{end}}".to_owned(),
        "{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}".to_owned(),
        "{{if 1}}".repeat(100_000),
        format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000)),
    ] {
        assert!(render(&template, &data()).is_err());
    }
    assert_eq!(rendered("{{printf \"%9999999999d\" 1}}"), "%!(BADWIDTH)1");
}
