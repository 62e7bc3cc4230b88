//! `ports` through its binary: stdout, stderr and code of every command.

#![expect(clippy::unwrap_used, reason = "a helper of tests may fail loudly")]

mod cli {
    mod check;
    mod edit;
    mod evaluation;
    mod export;
    mod generate;
    mod get;
    mod hostile;
    mod lint;
    mod list;
    mod next;
    mod offset;
    mod registry;
    mod run_in;
    mod sockets;
    mod worktree;

    use testkit::{Output, Sandbox};

    /// A registry with every form of an entry.
    const REGISTRY: &str = "\
# Ports of the example.
{
  databases = {
    redis = 6379; # cache
    postgresql = 5432;
  };
  otel.grpc = 4317;
  infrastructure = {
    nodeExporter = 9100;
    mosh-udp = { from = 60000; to = 60010; };
    dns = { port = 53; protocol = \"both\"; }; # names
  };
  web.\"foo.bar\" = 8080;
  usual = [ 80 443 ];
  media-start = 7000;
  media-end = 7001;
  domain = \"example.org\";
}
";

    /// A working directory with that registry, and nothing on PATH.
    fn sandbox() -> Sandbox {
        let sandbox = Sandbox::without_programs();
        sandbox.write("lib/ports.nix", REGISTRY);
        sandbox
    }

    fn ports(sandbox: &Sandbox, args: &[&str]) -> Output {
        sandbox.run(env!("CARGO_BIN_EXE_ports")).args(args).output()
    }
}
