//! Real databases under `pc`: started in order, ready before they are used, stopped with proof, data intact.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use testkit::{Sandbox, require};

use crate::support;

/// How often the whole project is started and stopped.
#[expect(clippy::disallowed_methods, reason = "tests/run --full says so by this variable")]
fn rounds() -> usize {
    if std::env::var_os("LIKEWISE_FULL").is_some() { 20 } else { 5 }
}

/// A port that nobody had a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The folder of initdb, which Debian keeps off the PATH.
fn postgresql() -> PathBuf {
    let install = "apt-get install postgresql";
    let versions = fs_err::read_dir("/usr/lib/postgresql").map(|entries| {
        entries
            .map(|entry| entry.unwrap().path().join("bin"))
            .filter(|bin| bin.join("initdb").exists())
            .max()
    });
    match versions {
        Ok(Some(bin)) => bin,
        _ => require("initdb", install).parent().unwrap().to_owned(),
    }
}

/// `PostgreSQL` refuses to run as root: there it runs as the user of Debian's package.
fn as_nobody_special(sandbox: &Sandbox) -> &'static str {
    let id = sandbox.run("id").arg("-u").output().code(0).stdout;
    if id.trim() != "0" {
        return "";
    }
    for folder in [sandbox.root().to_owned(), sandbox.work()] {
        fs_err::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    "setpriv --reuid=postgres --regid=postgres --clear-groups"
}

#[test]
fn redis_and_postgresql_start_and_stop_again_and_again() {
    require("redis-server", "apt-get install redis-server");
    let bin = postgresql();
    let sandbox = support::bed();
    let user = as_nobody_special(&sandbox);
    let (redis, postgres) = (free_port(), free_port());
    sandbox.write(
        "lib/ports.nix",
        format!("{{ infrastructure.ssh = 22; databases = {{ redis = {redis}; postgresql = {postgres}; }}; }}\n"),
    );
    let work = sandbox.work();
    let work = work.display();
    sandbox.write(
        "process-compose.yaml",
        format!(
            "processes:
  redis:
    command: exec redis-server --port ${{ports.databases.redis}} --bind 127.0.0.1 --dir {work} --appendonly yes
    is_daemon: true
    readiness_probe:
      exec: {{command: 'redis-cli -p ${{ports.databases.redis}} ping | grep -q PONG'}}
      initial_delay_seconds: 0
      period_seconds: 2
      failure_threshold: 30
  postgres-init:
    command: 'test -d {work}/data || {user} initdb --username=test --no-sync -D {work}/data > {work}/init.log'
  postgres:
    command: exec {user} postgres -D {work}/data -p ${{ports.databases.postgresql}} -k {work} -h 127.0.0.1
    readiness_probe:
      exec: {{command: 'pg_isready -h 127.0.0.1 -p ${{ports.databases.postgresql}} -U test'}}
      failure_threshold: 30
      period_seconds: 1
    depends_on:
      postgres-init: {{condition: process_completed_successfully}}
  migrate:
    command: psql -q -h 127.0.0.1 -p ${{ports.databases.postgresql}} -U test -c 'create table if not exists rounds (n int)' postgres
    depends_on:
      postgres: {{condition: process_healthy}}
      redis: {{condition: process_healthy}}
"
        ),
    );
    let path = format!(
        "{}:{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        sandbox.root().join("bin").display(),
        bin.display()
    );
    let check = format!(
        "redis-cli -p {redis} incr rounds && psql -At -h 127.0.0.1 -p {postgres} -U test postgres \
         -c 'insert into rounds values (1)' -c 'select count(*) from rounds' | tail -1"
    );
    for round in 1..=rounds() {
        let run = sandbox.run("pc").args(["ci", "--", "sh", "-c", &check]).env("PATH", &path);
        let output = run.output();
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (0, format!("{round}\n{round}\n").as_str()),
            "{}",
            output.stderr
        );
        let left = sandbox.bash(&format!("pgrep -f '{work}/data|redis-server.*:{redis}'")).output();
        assert_eq!(left.stdout, "", "left after round {round}");
    }
    // PostgreSQL that was stopped well has nothing to recover.
    let state = sandbox.run(bin.join("pg_controldata")).arg(sandbox.path("data")).output();
    assert!(state.stdout.contains("shut down\n"), "{}", state.stdout);
}
