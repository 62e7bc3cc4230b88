//! Files that hold commands.

use testkit::Sandbox;

use crate::guard;

/// The places and the rules of what is found in a file.
fn found(path: &str, text: &str) -> Vec<String> {
    let sandbox = Sandbox::new();
    sandbox.write(path, text);
    let output = guard(&sandbox, ["files", "-q", path]).output();
    assert_eq!(output.stderr, "", "{path}: {text}");
    let lines = output.stdout.lines().map(|line| {
        let (place, rest) = line.split_once(": deny ").unwrap();
        let place = place.strip_prefix(path).unwrap().trim_start_matches(':');
        format!("{place} {}", rest.split(':').next().unwrap())
    });
    lines.collect()
}

#[test]
fn a_project_may_start_dev_servers_and_not_build_images() {
    let text = "\
processes:
  web:
    command: bun run dev
  image:
    command: |
      set -e
      docker build .
    shutdown: {command: docker-compose up}
    readiness_probe:
      exec: {command: \"npm run dev && docker build .\"}
  argv:
    entrypoint: [docker, build, .]
env_cmds:
  X: echo $(docker build -q .)
";
    let expected = [
        "7:7 docker-build",
        "8:25 docker-compose",
        "10:38 docker-build",
        "12:18 docker-build",
        "14:13 docker-build",
    ];
    assert_eq!(found("process-compose.yaml", text), expected);
    assert_eq!(found("nix/process-compose.ci.yml", text), expected);
    let json = "{\"processes\": {\"a\": {\"command\": \"npm run dev; docker build .\"}}}";
    assert_eq!(found("process-compose.json", json).len(), 1);
}

#[test]
fn a_package_may_define_dev_and_not_build_images() {
    let text = "{\n  \"scripts\": {\n    \"dev\": \"npm run dev\",\n    \"image\": \"docker build .\",\n    \"pack\": \"cat > Dockerfile\"\n  }\n}\n";
    assert_eq!(found("web/package.json", text), ["4:15 docker-build", "5:20 dockerfile"]);
}

#[test]
fn a_workflow_may_do_neither() {
    let text = "\
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
      - uses: docker/login-action@v3
      - run: npm run dev &
      - name: x
        run: |
          echo 'docker build'
          docker buildx build --push \\
            -t ghcr.io/${{ github.repository }}:${{ github.sha }} .
      - run: docker build .
        shell: pwsh
";
    assert_eq!(
        found(".github/workflows/ci.yml", text),
        ["6:15 docker-build", "8:14 dev-server", "12:11 docker-build"]
    );
    assert_eq!(
        found(
            "action.yml",
            "runs:\n  steps:\n    - uses: docker/build-push-action@v6\n    - run: docker build .\n"
        ),
        ["3:13 docker-build", "4:12 docker-build"]
    );
    assert!(found("ci.yml", text).is_empty());
}

#[test]
fn recipes_are_commands() {
    assert_eq!(
        found(
            "justfile",
            "# docker build\nimage := `docker build -q .`\n\ndev port='3000':\n    @npm run dev --port {{port}}\n    echo 'npm start'\n"
        ),
        ["2:11 docker-build", "5:6 dev-server"]
    );
    assert_eq!(
        found(
            "Makefile",
            "ID := $(shell docker build -q .)\ndev:\n\t@npm start\n\t$(DOCKER) build .\n\tdocker $(FLAGS) build .\n"
        ),
        ["1:2 docker-build", "3:3 dev-server", "5:2 docker-build"]
    );
}

#[test]
fn scripts_are_commands() {
    assert_eq!(
        found("x.sh", "#!/bin/sh\nif true; then\n  docker build .\nfi\n"),
        ["3:3 docker-build"]
    );
    assert_eq!(found(".envrc", "use flake\ndocker-compose up -d\n"), ["2:1 docker-compose"]);
    assert_eq!(found("bin/x", "#!/usr/bin/env bash\nnpm start\n"), ["2:1 dev-server"]);
    assert!(found("bin/x", "docker build .\n").is_empty());
    assert!(found("x.py", "#!/bin/sh\ndocker build .\n").is_empty());
}

#[test]
fn prose_is_never_a_command() {
    for path in ["README.md", "docs/a.mdx", "a.txt", "a.rst", "a.nix", "a.yaml"] {
        assert!(found(path, "```sh\ndocker build .\nnpm run dev\n```\n").is_empty(), "{path}");
    }
}
