//! `ports export`.

use testkit::Sandbox;

use super::{ports, sandbox};

/// Exports in one form, successfully.
#[track_caller]
fn export(format: &str, expected: &str) {
    ports(&sandbox(), &["export", "--format", format]).code(0).stdout(expected).stderr("");
}

#[test]
fn json() {
    export(
        "json",
        r#"{
  "databases": {
    "postgresql": 5432,
    "redis": 6379
  },
  "infrastructure": {
    "dns": 53,
    "mosh-udp": {
      "from": 60000,
      "to": 60010
    },
    "nodeExporter": 9100
  },
  "media-end": 7001,
  "media-start": 7000,
  "otel": {
    "grpc": 4317
  },
  "usual": [
    80,
    443
  ],
  "web": {
    "foo.bar": 8080
  }
}
"#,
    );
}

#[test]
fn toml() {
    export(
        "toml",
        "\
media-end = 7001
media-start = 7000
usual = [80, 443]

[databases]
postgresql = 5432
redis = 6379

[infrastructure]
dns = 53
nodeExporter = 9100

[infrastructure.mosh-udp]
from = 60000
to = 60010

[otel]
grpc = 4317

[web]
\"foo.bar\" = 8080
",
    );
}

#[test]
fn nix() {
    export(
        "nix",
        "\
{
  databases = {
    postgresql = 5432;
    redis = 6379;
  };
  infrastructure = {
    dns = 53;
    mosh-udp = {
      from = 60000;
      to = 60010;
    };
    nodeExporter = 9100;
  };
  media-end = 7001;
  media-start = 7000;
  otel = {
    grpc = 4317;
  };
  usual = [ 80 443 ];
  web = {
    \"foo.bar\" = 8080;
  };
}
",
    );
}

/// All variables, each between `before` and `middle` … `after`; the list in `quotes`.
fn variables(before: &str, middle: &str, after: &str, quotes: &str) -> String {
    [
        ("DATABASES_POSTGRESQL_PORT", "5432"),
        ("DATABASES_REDIS_PORT", "6379"),
        ("INFRASTRUCTURE_DNS_PORT", "53"),
        ("INFRASTRUCTURE_MOSH_UDP_FROM_PORT", "60000"),
        ("INFRASTRUCTURE_MOSH_UDP_TO_PORT", "60010"),
        ("INFRASTRUCTURE_NODE_EXPORTER_PORT", "9100"),
        ("MEDIA_START_PORT", "7000"),
        ("MEDIA_END_PORT", "7001"),
        ("OTEL_GRPC_PORT", "4317"),
        ("USUAL_PORT", "80 443"),
        ("WEB_FOO_BAR_PORT", "8080"),
    ]
    .map(|(name, value)| {
        let quotes = if value.contains(' ') { quotes } else { "" };
        format!("{before}{name}{middle}{quotes}{value}{quotes}{after}\n")
    })
    .concat()
}

#[test]
fn variables_of_every_form() {
    export("env", &variables("", "=", "", ""));
    export("dotenv", &variables("", "=", "", "\""));
    export("shell", &variables("export ", "=", "", "'"));
    export("fish", &variables("set -gx ", " ", "", ""));
    export("just", &variables("export ", " := \"", "\"", ""));
    let watched = "watch_file lib/ports.nix\nwatch_file lib/ports.toml\n";
    export("direnv", &(variables("export ", "=", "", "'") + watched));
}

#[test]
fn services() {
    export(
        "services",
        "\
databases-postgresql         5432/tcp
databases-redis              6379/tcp         # cache
infrastructure-dns           53/tcp           # names
infrastructure-dns           53/udp           # names
# infrastructure-mosh-udp    60000-60010/udp
infrastructure-nodeExporter  9100/tcp
# media                      7000-7001/tcp
otel-grpc                    4317/tcp
web-foo-bar                  8080/tcp
",
    );
}

#[test]
fn what_was_exported_is_a_registry_again() {
    let sandbox = sandbox();
    for (format, file) in [("nix", "again.nix"), ("json", "again.json"), ("toml", "again.toml")] {
        let text = ports(&sandbox, &["export", "--format", format]).code(0).stdout;
        sandbox.write(file, &text);
        ports(&sandbox, &["-f", file, "export", "--format", format])
            .code(0)
            .stdout(&text)
            .stderr("");
    }
}

#[test]
fn only_some() {
    let sandbox = sandbox();
    let only =
        |glob: &str| ports(&sandbox, &["export", "--format", "env", "--only", glob]).code(0).stdout;
    assert_eq!(only("databases"), "DATABASES_POSTGRESQL_PORT=5432\nDATABASES_REDIS_PORT=6379\n");
    assert_eq!(only("*.redis"), "DATABASES_REDIS_PORT=6379\n");
    assert_eq!(only("{otel,web}.*"), "OTEL_GRPC_PORT=4317\nWEB_FOO_BAR_PORT=8080\n");
    assert_eq!(only("nothing"), "");
    let output = ports(&sandbox, &["export", "--format", "env", "--only", "["]).code(2).stdout("");
    assert!(output.stderr.starts_with("ports: invalid value '[' for '--only <GLOB>'"));
}

#[test]
fn names_of_variables() {
    let sandbox = sandbox();
    let args = ["export", "--format", "env", "--only", "databases", "--prefix", "APP_"];
    ports(&sandbox, &[&args[..], &["--template", "{NAME}_PORT"]].concat())
        .code(0)
        .stdout("APP_POSTGRESQL_PORT=5432\nAPP_REDIS_PORT=6379\n")
        .stderr("");
    ports(&sandbox, &["export", "--format", "env", "--template", "{nope}"]).code(2).stdout("").stderr(
        "ports: invalid value '{nope}' for '--template <TEMPLATE>': `{nope}` is no placeholder; there \
         are `{PATH}`, `{GROUP}` and `{NAME}`\n\nFor more information, try '--help'.\n",
    );
    ports(&sandbox, &["export", "--format", "env", "--prefix", "9"]).code(2).stdout("").stderr(
        "ports: invalid value '9' for '--prefix <P>': a name of a variable has letters, digits and \
         `_`, and no digit first\n\nFor more information, try '--help'.\n",
    );
    ports(&sandbox, &["export", "--format", "json", "--prefix", "A"])
        .code(2)
        .stdout("")
        .stderr("ports: `--prefix` says how variables are named, and `--format json` has none\n");
}

#[test]
fn two_paths_of_one_name() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", "{ a.redis = 1; b.redis = 2; c-d = 3; c.d = 4; }");
    let args = ["export", "--format", "shell"];
    ports(&sandbox, &[&args[..], &["--only", "{a,b}", "--template", "{NAME}_PORT"]].concat())
        .code(2)
        .stdout("")
        .stderr(
            "ports: both `a.redis` and `b.redis` would be `REDIS_PORT`\n\
             hint: tell them apart by `--template '{PATH}_PORT'`, or leave one out by `--only`\n",
        );
    ports(&sandbox, &args).code(2).stdout("").stderr(
        "ports: both `c.d` and `c-d` would be `C_D_PORT`\n\
         hint: tell them apart by `--template '{PATH}_PORT'`, or leave one out by `--only`\n",
    );
}

#[test]
fn a_shell_reads_it() {
    let sandbox = Sandbox::new();
    sandbox.write("ports.nix", "{ a = 1; l = [ 2 3 ]; }");
    let binary = env!("CARGO_BIN_EXE_ports");
    let script = format!("eval \"$({binary} export --format shell)\"; echo \"$A_PORT|$L_PORT\"");
    sandbox.bash(&script).output().code(0).stdout("1|2 3\n").stderr("");
}

#[test]
fn nothing_is_written_when_something_is_wrong() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", "{ a = 1; b = 0; }");
    ports(&sandbox, &["export", "--format", "env"])
        .code(2)
        .stdout("")
        .stderr("ports: ports.nix:1:10: `b` is 0 but must be from 1 to 65535\n");
}

#[test]
fn a_format_is_asked_for() {
    let output = ports(&sandbox(), &["export"]).code(2).stdout("");
    assert!(output.stderr.contains("--format <FORM>"), "{}", output.stderr);
}
