//! `pc` through its binary: stdout, stderr and code of every command that starts nothing.

mod cli {
    mod check;
    mod config;
    mod hostile;
    mod port_plan;
    mod upstream;

    use testkit::{Output, Sandbox};

    /// A run of `pc` in a folder that has this process-compose.yaml.
    fn pc(file: &str, args: &[&str]) -> Output {
        let sandbox = Sandbox::new();
        sandbox.write("process-compose.yaml", file);
        in_sandbox(&sandbox, args)
    }

    fn in_sandbox(sandbox: &Sandbox, args: &[&str]) -> Output {
        sandbox.run(env!("CARGO_BIN_EXE_pc")).args(args).output()
    }
}
