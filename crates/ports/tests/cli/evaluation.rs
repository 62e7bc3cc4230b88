//! Who evaluates, and what is beyond Nix.

use testkit::Sandbox;

use super::ports;

const REFUSED: &str = "{ a = 1; b = builtins.hashString \"md5\" \"x\"; }";
const REASON: &str = "ports.nix:1:14: `builtins.hashString`, which is not evaluated natively";

fn sandbox(text: &str) -> Sandbox {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", text);
    sandbox
}

#[test]
fn computed_values() {
    let sandbox = sandbox(
        "let base = 3000; port = n: base + n; in\nrec {\n  api = port 1; # the API\n  web = api + 1;\n  \
         all = map (x: x * 2) [ api web ];\n}\n",
    );
    ports(&sandbox, &["get", "api", "web", "all"])
        .code(0)
        .stdout("3001\n3002\n6002 6004\n")
        .stderr("");
    let output = ports(&sandbox, &["get", "--json", "web"]).code(0);
    assert!(output.stdout.contains("\"computed\": true"), "{}", output.stdout);
}

#[test]
fn a_function_head_is_applied() {
    let sandbox =
        sandbox("{ lib, config, ... }:\n{\n  a = 1;\n  b = lib.mkDefault 2;\n  c = config.x;\n}\n");
    ports(&sandbox, &["get", "a"]).code(0).stdout("1\n").stderr("");
    let output = ports(&sandbox, &["get", "--json", "a"]).code(0);
    let extensions = "\"extensions\": [\n      \"function head applied\",\n      \"other attributes fail\"\n    ]";
    assert!(output.stdout.contains(extensions), "{}", output.stdout);
    ports(&sandbox, &["get", "b"]).code(2).stdout("").stderr(
        "ports: ports.nix:4:7: this needs the function argument `lib`, which is not evaluated natively\n\
         hint: with Nix on PATH, `--evaluator auto` asks it\n",
    );
}

#[test]
fn an_override_is_unwrapped() {
    let sandbox = sandbox("{ a = { _type = \"override\"; content = 80; priority = 1000; }; }");
    ports(&sandbox, &["get", "a"]).code(0).stdout("80\n").stderr("");
    let output = ports(&sandbox, &["get", "--json", "a"]).code(0);
    assert!(output.stdout.contains("\"override unwrapped\""), "{}", output.stdout);
}

#[test]
fn what_is_refused_without_nix() {
    let sandbox = sandbox(REFUSED);
    ports(&sandbox, &["get", "a"]).code(0).stdout("1\n").stderr("");
    for who in ["auto", "native"] {
        ports(&sandbox, &["--evaluator", who, "get", "b"]).code(2).stdout("").stderr(&format!(
            "ports: {REASON}\nhint: with Nix on PATH, `--evaluator auto` asks it\n"
        ));
    }
    ports(&sandbox, &["--evaluator", "nix", "get", "a"])
        .code(2)
        .stdout("")
        .stderr("ports: cannot evaluate `ports.nix` by Nix: Nix is not on PATH\n");
}

#[test]
fn nix_answers_what_is_refused() {
    let sandbox = sandbox(REFUSED);
    sandbox.program(
        "nix-instantiate",
        "for last; do :; done\n\
         printf '%s\\n' \"$1 $2 $3 $4 $5 $6\" > \"$TMPDIR/args\"\n\
         echo '{\"registry\": {\"a\": 1, \"b\": 7777, \"c\": {\"_type\": \"no value\"}}}'",
    );
    ports(&sandbox, &["get", "b"])
        .code(0)
        .stdout("7777\n")
        .stderr(&format!("ports: note: {REASON}: Nix was asked instead\n"));
    assert_eq!(
        sandbox.read(sandbox.tmp().join("args")),
        "--eval --strict --json --store dummy:// -E\n"
    );
    ports(&sandbox, &["-q", "get", "b"]).code(0).stdout("7777\n").stderr("");
    ports(&sandbox, &["--evaluator", "nix", "get", "a"]).code(0).stdout("1\n").stderr("");
    ports(&sandbox, &["--evaluator", "native", "get", "b"])
        .code(2)
        .stdout("")
        .stderr(&format!("ports: {REASON}\nhint: with Nix on PATH, `--evaluator auto` asks it\n"));
    ports(&sandbox, &["list"])
        .code(2)
        .stdout("1     a  -  ports.nix:1\n7777  b  -  ports.nix:1\n")
        .stderr(&format!(
            "ports: note: {REASON}: Nix was asked instead\n\
         ports: `c` has no value: its evaluation fails by Nix too\n"
        ));
}

#[test]
fn nix_fails_too() {
    let sandbox = sandbox(REFUSED);
    sandbox.program(
        "nix-instantiate",
        "printf 'warning: x\\nerror:\\n   … while\\n   error: not this way\\n   at 1\\n' >&2; exit 1",
    );
    ports(&sandbox, &["get", "b"]).code(2).stdout("").stderr(&format!(
        "ports: {REASON}; Nix was asked: nix-instantiate failed with exit code 1\n   \
         error: not this way\n   at 1\n"
    ));
    ports(&sandbox, &["get", "a"]).code(0).stdout("1\n").stderr("");
    ports(&sandbox, &["list"]).code(2).stdout("1  a  -  ports.nix:1\n").stderr(&format!(
        "ports: {REASON}; Nix was asked: nix-instantiate failed with exit code 1\n   \
         error: not this way\n   at 1\n"
    ));
}

#[test]
fn broken_nix_has_a_place() {
    let sandbox = sandbox("{\n  a = 1;\n  b = ;\n}\n");
    let words = "ports: ports.nix:3:7: syntax error: unexpected `;`, expected an expression\n";
    ports(&sandbox, &["get", "a"]).code(2).stdout("").stderr(words);
    sandbox.program("nix-instantiate", "echo 'error: syntax error' >&2; exit 1");
    ports(&sandbox, &["get", "a"]).code(2).stdout("").stderr(words);
    sandbox.write("ports.nix", "{ a = x; }");
    ports(&sandbox, &["get", "a"])
        .code(2)
        .stdout("")
        .stderr("ports: ports.nix:1:7: undefined variable `x`\n");
    sandbox.write("ports.nix", "{ a = { b = 1; }.c; }");
    ports(&sandbox, &["get", "a"])
        .code(2)
        .stdout("")
        .stderr("ports: ports.nix:1:7: attribute `c` missing\n");
}
