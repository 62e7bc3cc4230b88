use proptest::prelude::*;

use super::*;
use crate::shell::HOLE;

/// The texts of a file: the line, the column, what stands there.
fn texts(kind: Kind, text: &str) -> Vec<(u32, u32, String)> {
    let pieces = kind.pieces(text).unwrap();
    let texts = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Text(Text { text, place }) => {
            Some((place.line, place.column, text.replace(HOLE, "_")))
        }
        _ => None,
    });
    texts.collect()
}

#[track_caller]
fn check(kind: Kind, text: &str, expected: &[(u32, u32, &str)]) {
    let found = texts(kind, text);
    let found: Vec<_> =
        found.iter().map(|(line, column, text)| (*line, *column, text.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn kinds_are_told_by_the_path() {
    for (path, kind) in [
        ("a/build.sh", Some(Kind::Shell)),
        (".envrc", Some(Kind::Shell)),
        ("bin/dev", Some(Kind::Script)),
        ("Justfile", Some(Kind::Justfile)),
        ("ci.just", Some(Kind::Justfile)),
        ("GNUmakefile", Some(Kind::Makefile)),
        ("a/rules.mk", Some(Kind::Makefile)),
        ("web/package.json", Some(Kind::PackageJson)),
        ("package-lock.json", None),
        ("process-compose.dev.yml", Some(Kind::ProcessCompose)),
        ("process-compose.json", Some(Kind::ProcessCompose)),
        (".github/workflows/ci.yml", Some(Kind::Workflow)),
        ("a/.gitea/workflows/ci.yaml", Some(Kind::Workflow)),
        (".github/actions/x/action.yml", Some(Kind::Workflow)),
        (".github/dependabot.yml", None),
        ("workflows/ci.yml", None),
        ("README.md", None),
        ("docs/build.sh.md", None),
    ] {
        assert_eq!(Kind::of(Path::new(path)), kind, "{path}");
    }
}

#[test]
fn scripts_are_told_by_their_first_line() {
    for text in [
        "#!/bin/sh\nx",
        "#! /usr/bin/env bash\nx",
        "#!/usr/bin/env -S bash -e\nx",
        "#!/usr/bin/env nix-shell\n#! nix-shell -i bash -p x\nx",
    ] {
        check(Kind::Script, text, &[(1, 1, text)]);
    }
    for text in [
        "x",
        "#!/usr/bin/python3\nx",
        "#!/usr/bin/env node\nx",
        "#!/usr/bin/env nix-shell\n#! nix-shell -i python3\n",
        "",
    ] {
        check(Kind::Script, text, &[]);
    }
    check(Kind::Shell, "x", &[(1, 1, "x")]);
    let envrc = "#!/usr/bin/env direnv\nx";
    check(Kind::Shell, envrc, &[(1, 1, envrc)]);
    check(Kind::Shell, "#!/usr/bin/env python3\nx", &[]);
}

#[test]
fn a_justfile_has_recipes_and_backticks() {
    check(
        Kind::Justfile,
        "set dotenv-load\nx := `a b` + 'c `d`' # `e`\n\n# docker build\nbuild target='x:y' *args: dep\n    @a {{target}} \\\n      b\n\n    -c\nnext:\n\t@-d\n",
        &[(2, 7, "a b"), (6, 6, "a __________ \\\n      b"), (8, 1, ""), (9, 6, "c"), (11, 4, "d")],
    );
    check(
        Kind::Justfile,
        "a:\n  #!/usr/bin/env bash\n  b\nc:\n  #!/usr/bin/env python3\n  d\n[script]\ne:\n  f\n[script('node')]\ng:\n  h\n",
        &[(2, 1, "  #!/usr/bin/env bash\n  b"), (9, 1, "  f")],
    );
    check(
        Kind::Justfile,
        "[doc(\"script that builds\")]\n[group: 'scripts']\na:\n  b\n[private, script('python3')]\nc:\n  d\n",
        &[(4, 3, "b")],
    );
    check(Kind::Justfile, "x := '''\nbuild: y\n  docker build\n'''\na:\n  b\n", &[(6, 3, "b")]);
    check(Kind::Justfile, "x := ```\n  a\n```\n", &[(1, 1, "\n  a\n")]);
    check(Kind::Justfile, "set shell := ['python3', '-c']\na:\n  b\n", &[]);
    check(Kind::Justfile, "a:\n  b {{{{x}} {{y\n", &[(2, 3, "b {{x}} {{y")]);
}

#[test]
fn a_makefile_has_recipes_and_shell_calls() {
    check(
        Kind::Makefile,
        "X := $(shell a $(Y)) # $(shell b)\nZ != c d\nall: dep ; e\n\t@-f $$HOME $(shell g) $@ \\\n\t  h\nV = docker build\n",
        &[
            (1, 1, " a _"),
            (2, 5, " c d"),
            (3, 11, " e"),
            (4, 1, " g"),
            (4, 4, "f $HOME _ _ \\\n   h"),
        ],
    );
    check(Kind::Makefile, "a:\n\t$(MAKE) b\n\t# c\n", &[(2, 2, "_ b"), (3, 2, "# c")]);
    let deep = format!("X = {}", "$(".repeat(100_000));
    check(Kind::Makefile, &deep, &[]);
}

#[test]
fn a_package_has_scripts() {
    check(
        Kind::PackageJson,
        "{\n  \"name\": \"x\",\n  \"scripts\": {\n    \"a\": \"b \\\"c\\\"\",\n    \"d\": 5\n  }\n}\n",
        &[(4, 11, "b \"c\"")],
    );
    for text in ["{}", "{\"scripts\": null}", "{\"scripts\": {}}"] {
        check(Kind::PackageJson, text, &[]);
    }
    for text in ["", "{\"scripts\": []}", "{\"scripts\": {\"a\": \"b\"}"] {
        assert!(
            matches!(Kind::PackageJson.pieces(text), Err(ScanError::Parse { line: _, .. })),
            "{text}"
        );
    }
}

#[test]
fn a_workflow_has_steps() {
    let text = "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n      - run: |\n          set -e\n            b\n      - run: c\n        shell: python\n  d:\n    defaults: {run: {shell: pwsh}}\n    steps:\n      - run: e\n      - {run: f, shell: \"bash -e {0}\"}\n";
    check(Kind::Workflow, text, &[(6, 11, "set -e\n  b\n"), (14, 15, "f")]);
    let pieces = Kind::Workflow.pieces(text).unwrap();
    assert_eq!(pieces[0], Piece::Uses("docker/build-push-action@v6".to_owned(), Place::at(4, 15)));
    let Piece::Text(block) = &pieces[1] else { panic!() };
    assert_eq!(block.place.indent, 10);
    check(
        Kind::Workflow,
        "runs:\n  using: composite\n  steps:\n    - run: a\n      shell: bash\n",
        &[(4, 12, "a")],
    );
    check(Kind::Workflow, "", &[]);
    check(Kind::Workflow, "- a list\n- of { another program\n", &[]);
    assert!(Kind::Workflow.pieces("jobs: [").is_err());
}

#[test]
fn a_project_has_commands() {
    let text = "env_cmds: {A: a}\nprocesses:\n  b:\n    command: |\n      c\n      d\n  e:\n    entrypoint: [f, g]\n";
    check(Kind::ProcessCompose, text, &[(1, 15, "a"), (5, 7, "c\nd\n")]);
    let pieces = Kind::ProcessCompose.pieces(text).unwrap();
    let words = pieces.iter().find_map(|piece| match piece {
        Piece::Words(words) if !words.is_empty() => Some(words),
        _ => None,
    });
    assert_eq!(words.unwrap()[1].text, "g");
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in "([ -~]|\n|\t|`|'''|\\$\\(|\\{\\{|:|#!){0,80}") {
        for kind in [
            Kind::Shell, Kind::Script, Kind::Justfile, Kind::Makefile, Kind::PackageJson,
            Kind::ProcessCompose, Kind::Workflow,
        ] {
            drop(kind.pieces(&text));
        }
    }
}
