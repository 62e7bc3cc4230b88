//! The chain itself: a store built by real Nix, our two tools, a real registry, and a container that runs.

use testkit::{RealNix, Sandbox, Server, Suite, graph_expression, require};

use crate::support;

/// A program that needs nothing but a kernel.
const PROGRAM: &str = r#"#include <stdio.h>
int main(int argc, char **argv) {
    FILE *file = fopen(argv[argc - 1], "r");
    char line[256] = "";
    if (file == NULL || fgets(line, sizeof line, file) == NULL) return 1;
    printf("read %s", line);
    return 0;
}
"#;

/// Builds an application that refers to a graph of twenty paths, and returns its store path.
fn application(sandbox: &Sandbox, nix: &RealNix<'_>) -> String {
    require("cc", "apt-get install gcc libc6-dev");
    sandbox.write("read.c", PROGRAM);
    sandbox.bash("cc -static -O1 -o read read.c").output().code(0).stdout("").stderr("");
    let expression = format!(
        r#"derivation {{
  name = "reader-1.0";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  PATH = "/usr/bin:/bin";
  program = {program};
  graph = ({graph});
  args = [ "-ec" "mkdir -p $out/bin $out/share; cp $program $out/bin/read; echo $graph > $out/share/graph" ];
}}"#,
        program = sandbox.path("read").display(),
        graph = graph_expression(20),
    );
    nix.build(&expression).remove(0)
}

#[test]
fn what_nix_builds_is_pushed_pulled_and_run() {
    for tool in ["skopeo", "umoci", "runc"] {
        require(tool, &format!("apt-get install {tool}"));
    }
    let sandbox = support::bed();
    let nix = RealNix::install(&sandbox, Suite::Forky);
    let app = application(&sandbox, &nix);
    let registry = Server::docker_registry(&sandbox, None);
    let image = format!("{}/x:1", registry.address());

    let push = format!(
        "ociimg build {app} --entrypoint {app}/bin/read --cmd {app}/share/graph | pushimg {image}"
    );
    let digest = sandbox.bash(&push).output().code(0).stdout;
    let digest = digest.trim_end();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");

    // Others see the same image.
    let inspect =
        format!("skopeo inspect --tls-verify=false docker://{image} --format '{{{{.Digest}}}}'");
    let seen = sandbox.bash(&inspect).output().code(0).stdout;
    assert_eq!(seen.trim_end(), digest);
    let copy = format!("skopeo copy --quiet --src-tls-verify=false docker://{image} oci:layout:1");
    drop(sandbox.bash(&copy).output().code(0));

    // It holds the whole closure, and it runs.
    let run = "umoci unpack --image layout:1 bundle >&2 \
               && sed -i 's/\"terminal\": true/\"terminal\": false/' bundle/config.json \
               && runc --root \"$TMPDIR/runc\" run --bundle bundle likewise-$$";
    let graph = sandbox.bash(run).output().code(0).stdout;
    let graph = graph.trim_end().strip_prefix("read ").map(str::to_owned);
    assert!(graph.is_some_and(|graph| graph.ends_with("-p19-1.19")));
    let in_image = sandbox.bash("ls bundle/rootfs$(dirname \"$0\")").arg(&app).output().code(0);
    assert_eq!(in_image.stdout.lines().count(), 21, "{}", in_image.stdout);

    // Once more, nothing moves.
    let again = sandbox.bash(&push).output().code(0);
    assert_eq!(again.stdout.trim_end(), digest);
}

#[test]
fn the_closure_is_the_same_by_every_nix_and_by_a_graph_file() {
    let sandbox = support::bed();
    let mut plans = Vec::new();
    let oldest = RealNix::install(&sandbox, Suite::Bookworm);
    let root = oldest.build_graph(20);
    drop(oldest);
    for suite in Suite::ALL {
        let nix = RealNix::install(&sandbox, suite);
        let plan = sandbox.bash(&format!("ociimg build {root}")).output().code(0);
        plans.push((suite, plan.stdout));
        let graph = nix.run("nix", ["path-info", "--json", "--recursive", &root]).output().code(0);
        sandbox.write("graph.json", graph.stdout);
        let by_file = sandbox.bash(&format!("ociimg build --graph graph.json {root}")).output();
        plans.push((suite, by_file.code(0).stdout));
    }
    for (suite, plan) in &plans {
        assert_eq!(plan, &plans[0].1, "{}", suite.name());
    }
}
