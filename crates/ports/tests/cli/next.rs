//! `ports next` without `--live`.

use testkit::Sandbox;

use super::ports;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::without_programs();
    sandbox.write(
        "ports.nix",
        "{\n  infra = { ssh = 22; vpn = 41641; };\n  db = { a = 5001; b = 5003; };\n  web = { from = 3000; to = 3009; \
         };\n  x-min = 3010; x-max = 3012;\n  all = [ 3013 3015 ];\n}\n",
    );
    sandbox
}

#[track_caller]
fn next(sandbox: &Sandbox, args: &[&str], numbers: &str) {
    ports(sandbox, &[&["next"], args].concat()).code(0).stdout(numbers).stderr("");
}

#[test]
fn behind_the_last_or_in_a_gap() {
    let sandbox = sandbox();
    next(&sandbox, &["--group", "db"], "5004\n");
    next(&sandbox, &["--group", "db", "-n", "3"], "5004\n5005\n5006\n");
    next(&sandbox, &["--group", "db", "--policy", "gap", "-n", "2"], "5002\n5004\n");
    next(&sandbox, &["--group", "infra"], "41642\n");
    next(&sandbox, &["--range", "3000-3020"], "3016\n");
    next(&sandbox, &["--range", "3000-3020", "--policy", "gap", "--count", "2"], "3014\n3016\n");
    next(&sandbox, &["--range", "4000-4001"], "4000\n");
    next(&sandbox, &[], "5004\n");
    next(&sandbox, &["--policy", "gap"], "1024\n");
}

#[test]
fn bands_and_reserved_numbers() {
    let sandbox = sandbox();
    sandbox.write(
        "ports.toml",
        "reserved = [5004, \"5100-5101\"]\n[bands]\ndb = \"5000-5999\"\nnew = \"5100-5105\"\n",
    );
    next(&sandbox, &["--group", "db"], "5005\n");
    next(&sandbox, &["--group", "db", "--policy", "gap"], "5000\n");
    next(&sandbox, &["--group", "new", "-n", "2"], "5102\n5103\n");
    next(&sandbox, &["--group", "db.inner"], "5005\n");
}

#[test]
fn what_is_not_there() {
    let sandbox = sandbox();
    ports(&sandbox, &["next", "--range", "3000-3013"]).code(1).stdout("").stderr(
        "ports: no number is free: nothing is behind 3013\n\
         hint: `--policy gap` looks between the registered ones, too\n",
    );
    ports(&sandbox, &["next", "--range", "3013-3015", "--policy", "gap", "-n", "2"])
        .code(1)
        .stdout("")
        .stderr("ports: 2 numbers are not free: 3013 to 3015 has 1\n");
    ports(&sandbox, &["next", "--group", "bd"])
        .code(1)
        .stdout("")
        .stderr("ports: no group `bd` in `ports.nix`\nhint: did you mean `db`?\n");
    for (range, words) in [
        ("9-3", "the range goes from 9 to 3"),
        ("x", "`x` must be a port or a range of ports such as 3000-3999"),
        ("0-5", "`0-5` must be a port"),
    ] {
        let output = ports(&sandbox, &["next", "--range", range]).code(2).stdout("");
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    let output = ports(&sandbox, &["next", "-n", "0"]).code(2).stdout("");
    assert!(output.stderr.contains("0 is not in 1..=65535"), "{}", output.stderr);
    sandbox.write("ports.nix", "{ a = 80; b = throw \"no\"; c = 70000; }");
    ports(&sandbox, &["next"])
        .code(2)
        .stdout("")
        .stderr("ports: an entry has no value, so it may have any number: ports.nix:1:15: no\n");
}
