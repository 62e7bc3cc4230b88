use proptest::prelude::*;

use super::*;

/// One line a command: its words between bars, then what it writes and what it is fed.
fn show(text: &str) -> String {
    let commands = lex(text, Place::START, 0).unwrap();
    let lines: Vec<String> = commands.iter().map(line).collect();
    lines.join(" ;; ")
}

fn line(command: &Command) -> String {
    let mut parts: Vec<String> = Vec::new();
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    if !words.is_empty() {
        parts.push(words.join("|"));
    }
    parts.extend(command.writes.iter().map(|word| format!(">{}", word.text)));
    parts.extend(command.input.iter().map(|input| format!("<{:?}", input.text)));
    parts.join(" ").replace(HOLE, "_")
}

#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(show(text), *expected, "{text}");
    }
}

#[test]
fn words_and_quotes() {
    check(&[
        ("docker build .", "docker|build|."),
        ("  docker\tbuild  ", "docker|build"),
        ("\"docker\" 'build'", "docker|build"),
        ("d\\ocker bui\"ld\"", "docker|build"),
        ("doc\\\nker \\\n build", "docker|build"),
        ("doc\\\r\nker \\\r\n build\r\n", "docker|build"),
        ("echo ''", "echo|"),
        ("echo 'a b' \"c d\" e\\ f", "echo|a b|c d|e f"),
        ("echo \"a\\\"b\\$c\\d\"", "echo|a\"b$c\\d"),
        ("echo $'a\\tb\\'c\\x41\\101\\u00e9'", "echo|a\tb'cAAé"),
        ("echo $\"x\"", "echo|x"),
        ("echo $HOME/bin ${X:-y} \"$@\" $1x", "echo|_/bin|_|_|_x"),
        ("echo a#b # docker build", "echo|a#b"),
        ("# docker build\necho", "echo"),
        ("echo $ %", "echo|$|%"),
        ("echo 'open", "echo|open"),
        ("", ""),
    ]);
}

#[test]
fn commands_and_operators() {
    check(&[
        ("a; b & c && d || e | f |& g\nh", "a ;; b ;; c ;; d ;; e ;; f ;; g ;; h"),
        ("(cd web; npm run dev)", "cd|web ;; npm|run|dev"),
        ("{ a; b; } | c", "a ;; b ;; c"),
        ("! a", "a"),
        ("time a; time -p b; time { c; }", "time|a ;; time|-p|b ;; c"),
        ("if a; then b; elif c; then d; else e; fi", "a ;; b ;; c ;; d ;; e"),
        ("while a; do b; done < in > out", "a ;; b ;; >out"),
        ("until a\ndo\nb\ndone", "a ;; b"),
        ("for x in docker build; do a; done", "a"),
        ("for x do a; done", "a"),
        ("for ((i=0; i<3; i++)); do a; done", "a"),
        ("select x in a b; do c; done", "c"),
        ("f() { a; }; f () { b; }; function g { c; }; function h() { d; }", "a ;; b ;; c ;; d"),
        ("time f() { a; }", "a"),
        ("A=1 B+=2 a", "A=1|B+=2|a"),
        ("a=(docker build) b", "a=_|b"),
        ("declare -a a=(docker\nbuild # x )\n) b", "declare|-a|a=_|b"),
        ("(( docker + build )); b", "b"),
        ("((a) && b)", "a ;; b"),
        ("[[ $x == docker && build > Dockerfile || ( a ) ]] && b", "[[ ;; b"),
        ("[ a = b ] && c", "[|a|=|b|] ;; c"),
        ("coproc a", "a"),
        ("a &>x &>>y", "a >x >y"),
        ("echo if then", "echo|if|then"),
        ("\\if a", "if|a"),
    ]);
}

#[test]
fn case_patterns_are_no_commands() {
    check(&[
        ("case $x in docker|build) a;; (b) c;; *) d; esac; e", "a ;; c ;; d ;; e"),
        ("case x in\n  a) b\n  c ;;\nesac\nd", "b ;; c ;; d"),
        ("case x in a) b;& c) d;;& esac; e", "b ;; d ;; e"),
        ("case x in a) case y in b) c;; esac;; d) e;; esac; f", "c ;; e ;; f"),
        ("echo $(case x in a) b;; esac) c", "b ;; echo|_|c"),
        ("case \"$(a)\" in x) ;; esac", "a"),
        ("case x in @(a|b)) c;; esac", "c"),
    ]);
}

#[test]
fn substitutions_are_entered() {
    check(&[
        ("echo $(a $(b) c) d", "b ;; a|_|c ;; echo|_|d"),
        ("echo \"x $(a \"y\") z\"", "a|y ;; echo|x _ z"),
        ("echo `a \\`b\\`` c", "b ;; a|_ ;; echo|_|c"),
        ("echo \"`a \\\"b c\\\"`\"", "a|b c ;; echo|_"),
        ("echo ` alone", "echo|`|alone"),
        ("diff <(a) >(b) --x=<(c)", "a ;; b ;; c ;; diff|_|_|--x=_"),
        ("tee >(a > f)", "a >f ;; tee|_"),
        ("echo ${x:-$(a)} \"${y:-`b`}\"", "a ;; b ;; echo|_|_"),
        ("echo $((1 + $(a)))", "a ;; echo|_"),
        ("echo $((b)c)", "b ;; c ;; echo|_"),
        ("echo '$(a)' \\$(b)", "b ;; echo|$(a)|$"),
        ("x=$(a) b", "a ;; x=_|b"),
        ("echo ${{ github.sha || '$(a)' }} b", "echo|_|b"),
        ("echo $(a", "a ;; echo|_"),
    ]);
}

#[test]
fn redirections_name_files() {
    check(&[
        ("a > f b", "a|b >f"),
        ("a >> f 2> g 2>&1 1>&2 >&- 3<> h", "a >f >g >h"),
        ("a >| f", "a >f"),
        ("a >& f", "a >f"),
        ("a < f <&3", "a"),
        ("> f", ">f"),
        ("a {fd}> f", "a >f"),
        ("a 2>f", "a >f"),
        ("a 2 >f", "a|2 >f"),
        ("npm run dev>log 2>&1&", "npm|run|dev >log"),
        ("a > \"my file\" > $x", "a >my file >_"),
        ("a >", "a"),
    ]);
}

#[test]
fn here_documents_are_skipped_and_kept() {
    check(&[
        ("cat <<EOF\ndocker build\nEOF\nb", "cat <\"docker build\\n\" ;; b"),
        ("cat <<'EOF' > f\n$(a) `b`\nEOF\nc", "cat >f <\"$(a) `b`\\n\" ;; c"),
        ("cat <<-\"E F\"\n\ta\n\tE F\nc", "cat <\"\\ta\\n\" ;; c"),
        ("cat <<A <<B\n1\nA\n2\nB\nc", "cat <\"1\\n\" <\"2\\n\" ;; c"),
        ("cat <<EOF && b\nx\nEOF\nc", "cat <\"x\\n\" ;; b ;; c"),
        (
            "a \"$(cat <<'EOF'\nrun docker build\nEOF\n)\" b",
            "cat <\"run docker build\\n\" ;; a|_|b",
        ),
        ("cat <<\\EOF\r\nx\r\nEOF\r\nc", "cat <\"x\\r\\n\" ;; c"),
        ("cat <<EOF\nopen", "cat <\"open\""),
        ("cat <<< 'docker build'", "cat <\"docker build\""),
    ]);
}

#[test]
fn braces_make_words() {
    let expand = |text: &str| -> Vec<String> {
        let commands = lex(text, Place::START, 0).unwrap();
        commands[0].words.iter().flat_map(Word::expand_braces).map(|word| word.text).collect()
    };
    assert_eq!(
        expand("touch {Dockerfile,.dockerignore}"),
        ["touch", "Dockerfile", ".dockerignore"]
    );
    assert_eq!(expand("a{b,c{d,e}}f{,g}"), ["abf", "abfg", "acdf", "acdfg", "acef", "acefg"]);
    assert_eq!(expand("{a '{b,c}' {} {1..3} a,b"), ["{a", "{b,c}", "{}", "{1..3}", "a,b"]);
    assert_eq!(expand(&"{a,b}".repeat(30)), ["{a,b}".repeat(30)]);
}

#[test]
fn words_that_may_vanish_are_known() {
    let commands = lex("a $x \"$x\" \"${x[@]}\" \"$@\" x$y $(b) '' $x$y", Place::START, 0).unwrap();
    let vanishing: Vec<bool> = commands[1].words.iter().map(|word| word.vanishing).collect();
    assert_eq!(vanishing, [false, true, false, true, true, false, true, false, true]);
}

#[test]
fn places_are_lines_and_columns() {
    let commands = lex("é; a\n  b `c d`", Place::START, 0).unwrap();
    let places: Vec<_> = commands
        .iter()
        .map(|command| (command.words[0].text.as_str(), command.words[0].place))
        .map(|(text, place)| (text, place.line, place.column))
        .collect();
    assert_eq!(places, [("é", 1, 1), ("a", 1, 4), ("c", 2, 6), ("b", 2, 3)]);
}

#[test]
fn what_nests_too_deep_is_refused() {
    for unit in ["$(", "(", "\"$(", "<(", "${x:-", "$(( $(", "a=(", "@(x$("] {
        assert_eq!(lex(&unit.repeat(100_000), Place::START, 0), Err(TooDeep), "{unit}");
        assert!(lex(&unit.repeat(20), Place::START, 0).is_ok(), "{unit}");
    }
}

#[test]
fn time_is_linear() {
    for unit in
        ["((", "`", "'", "\"", "$((", "{a,b}", "<<A\n", "a;", "[[ ", "case x in ", "\\`", "a=( "]
    {
        let text = unit.repeat(200_000);
        let started = std::time::Instant::now();
        drop(lex(&text, Place::START, 0));
        assert!(started.elapsed().as_secs() < 5, "{unit}: {:?}", started.elapsed());
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        drop(lex(&text, Place::START, 0));
    }

    #[test]
    fn no_shell_like_text_makes_it_panic(
        text in "([a-z ]|[(){}<>;&|]|[\"'`$\\\\]|\\$\\(|\\$\\{|<<E\n|E\n|case x in |esac|\\[\\[ |é|\r|\n){0,60}"
    ) {
        drop(lex(&text, Place::START, 0));
    }

    #[test]
    fn a_quoted_word_comes_back(value in any::<String>()) {
        prop_assume!(!value.contains(HOLE));
        let text = format!("a '{}' b", value.replace('\'', "'\\''"));
        let commands = lex(&text, Place::START, 0).unwrap();
        prop_assert_eq!(&commands[0].words[1].text, &value);
        prop_assert_eq!(commands[0].words.len(), 3);
    }
}
