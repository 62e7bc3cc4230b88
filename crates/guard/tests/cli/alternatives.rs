//! The process that does what was refused.

use testkit::Sandbox;

use crate::guard;

const PROJECT: &str = "
processes:
  api:
    command: bun run dev
  web:
    command: cd apps/web && npm run dev
  admin:
    command: npm run dev
    working_dir: apps/admin
  docs:
    entrypoint: [pnpm, dev]
  redis:
    command: redis-server
";

fn instead(sandbox: &Sandbox, text: &str) -> String {
    let output = guard(sandbox, ["command", "--", text]).output().code(1);
    let (_, instead) = output.stdout.split_once("; instead: ").unwrap();
    instead.trim_end().to_owned()
}

#[test]
fn a_process_that_runs_the_same_is_named() {
    let sandbox = Sandbox::new();
    assert_eq!(instead(&sandbox, "bun run dev"), "`pc up`");
    sandbox.write("process-compose.yaml", PROJECT);
    for (text, expected) in [
        ("bun run dev", "`bun run dev` is process `api`: `pc up api`"),
        ("sudo bun --hot run dev --port 1", "`bun run dev` is process `api`: `pc up api`"),
        ("npm run dev", "`npm run dev` is process `web` or `admin`: `pc up web` or `pc up admin`"),
        ("npm --prefix apps/admin run dev", "`npm run dev` is process `admin`: `pc up admin`"),
        ("pnpm dev", "`pnpm dev` is process `docs`: `pc up docs`"),
        ("docker compose up -d redis", "`docker compose up` is process `redis`: `pc up redis`"),
        ("docker compose up", "`pc up`"),
        ("yarn dev", "`pc up`"),
    ] {
        assert_eq!(instead(&sandbox, text), expected, "{text}");
    }
}

#[test]
fn the_project_is_found_above_and_where_the_policy_says() {
    let sandbox = Sandbox::new();
    let _git = sandbox.git();
    sandbox.write("process-compose.yml", "processes: {a: {command: npm start}}\n");
    sandbox.write("process-compose.override.yml", "processes: {b: {command: npm start}}\n");
    // Docker's file of a name that process-compose would read first.
    sandbox.write("compose.yml", "services: {}\n");
    sandbox.write("web/src/x", "");
    let text = ["command", "--", "npm start"];
    let output = guard(&sandbox, text).dir(sandbox.path("web/src")).output().code(1);
    assert!(
        output.stdout.ends_with("is process `a` or `b`: `pc up a` or `pc up b`\n"),
        "{}",
        output.stdout
    );
    sandbox.write(".nix/p.yaml", "processes: {c: {command: npm start}}\n");
    sandbox.write("guard.toml", "extends = 'default'\nprocesses = '.nix/p.yaml'\n");
    let output = guard(&sandbox, text).output().code(1);
    assert!(output.stdout.ends_with("is process `c`: `pc up c`\n"), "{}", output.stdout);
}

#[test]
fn a_broken_project_names_nobody() {
    let sandbox = Sandbox::new();
    sandbox.write("process-compose.yaml", "processes: [\n");
    assert_eq!(instead(&sandbox, "npm start"), "`pc up`");
}
