//! Command lines, one by one: what passes, and what meets which rule.

use testkit::Sandbox;

use crate::{guard, verdicts};

/// Commands that do nothing that a rule is against.
const PASS: &[&str] = &[
    // Text about commands.
    "echo docker build",
    "echo 'docker build .'",
    "echo \"npm run dev\"",
    "git commit -m 'replace docker build by nix build'",
    "git commit -m \"stop using docker-compose up\" -m 'npm run dev'",
    "git commit -F - <<'EOF'\nRun `npm run dev`.\ndocker build .\nEOF",
    "cat <<EOF\ndocker build .\nEOF",
    "cat <<-EOF\n\tdocker build .\n\tEOF",
    "cat <<\"E O F\"\n$(docker build .)\nE O F\n",
    // Only what is run is judged: a body without a shell to read it is text.
    "cat <<EOF\n$(docker build -q .)\nEOF",
    "wget -qO- http://x/Dockerfile",
    "ssh host 'docker compose up -d'",
    "cat <<A <<B\ndocker build\nA\nnpm run dev\nB",
    "gh pr create --body \"$(cat <<'EOF'\n- [ ] npm run dev\nEOF\n)\"",
    "cat > notes.md <<'EOF'\nnpm run dev\nEOF",
    "grep -r 'docker build' .",
    "rg \"npm run (dev|start)\" --glob '*.md'",
    "sed -n '/docker build/p' README.md",
    "sed -i 's/docker build/nix build/' README.md",
    "awk '/npm start/ { print }' x",
    "printf '%s\\n' 'docker-compose up'",
    "jq '.scripts.dev = \"npm run dev\"' x.json",
    "# docker build .",
    "true # docker build .",
    "ls docs/docker build",
    "man docker build",
    "which docker build",
    "type docker",
    "command -v docker build",
    "alias d='docker build'",
    "X='docker build .'",
    "export X=\"npm run dev\"",
    "commands=(docker build)",
    "declare -a commands=(\n  docker build # all\n  npm run dev\n)",
    "[[ $x == docker && build ]]",
    "[[ $x =~ ^(npm run dev)$ ]]",
    "[ docker = build ]",
    "test docker build",
    "(( docker + build ))",
    "echo $(( docker ))",
    "case $x in docker | build) echo y ;; (npm) echo z ;; esac",
    "for x in docker build; do echo $x; done",
    "cat <<< 'docker build .'",
    "docker() { podman \"$@\"; }",
    "function npm { pnpm \"$@\"; }",
    "if [ -f x ]; then echo docker build; fi",
    "echo ${x:-docker build}",
    "echo \"${x:-docker build}\"",
    "echo '$(docker build)' '`docker build`'",
    "tmux send-keys -t x 'echo docker build' Enter",
    "ssh host docker build .",
    // What is allowed.
    "docker load -i result",
    "./result | docker load",
    "docker run --rm -p 3000:3000 image:latest",
    "docker run --rm -it image npm run dev",
    "docker exec web npm run dev",
    "docker ps; docker images; docker pull x; docker push x; docker tag a b",
    "docker compose down; docker compose logs -f; docker compose ps; docker compose config",
    "docker-compose down -v",
    "docker buildx ls",
    "docker builder prune",
    "docker image ls",
    "docker build --help",
    "docker compose up --help",
    "docker run build",
    "docker network create build",
    "docker --context build ps",
    "npm run dev:types",
    "npm run start-ci-report",
    "pnpm run serve-docs-check",
    "bun run worker",
    "bun run devtools",
    "npm run build && npm test",
    "npm install start",
    "npm run test -- dev",
    "npm exec dev",
    "yarn add dev",
    "yarn workspace web build",
    "pnpm --filter dev build",
    "pnpm -C dev install",
    "npm --prefix dev ci",
    "pnpm dlx create-next-app dev",
    "yarn develop",
    "just dev",
    "make dev",
    "pc up api",
    "process-compose up",
    "nix run .#dev",
    "nix run .#dev -- --tui",
    "nix run .#docker -- build",
    "nix build .#image-web",
    "nix develop",
    "nix develop .#docker",
    "nix shell nixpkgs#docker",
    "direnv exec . nix build",
    "$DOCKER build .",
    "\"$RUNNER\" run dev",
    "$(command -v docker) build .",
    "${DOCKER:-docker} build .",
    // Files that are no Dockerfile, or are only read.
    "cat Dockerfile",
    "rm Dockerfile .dockerignore docker-compose.yml",
    "git rm Dockerfile",
    "mv Dockerfile old.txt",
    "cp Dockerfile /tmp/copy",
    "diff Dockerfile Containerfile > x",
    "grep FROM < Dockerfile",
    "hadolint Dockerfile 2>&1",
    "touch dockerfile.md Dockerfiles",
    "echo x > docs/Dockerfile/readme.md",
    "tee log.txt",
    "echo Dockerfile",
    "touch compose.yaml",
    "sed -n p Dockerfile",
    "dd if=Dockerfile of=x",
    "cp vendor/x/Dockerfile vendor/y/",
    "echo x > node_modules/x/Dockerfile",
    "",
    "\n\n",
];

/// Commands, and the rule that refuses each.
const REFUSED: &[(&str, &str)] = &[
    ("docker build .", "docker-build"),
    ("docker build", "docker-build"),
    ("docker image build -t x .", "docker-build"),
    ("docker buildx build --push .", "docker-build"),
    ("docker buildx --builder x build .", "docker-build"),
    ("docker builder build .", "docker-build"),
    ("docker-compose up", "docker-compose"),
    ("docker-compose -f x.yml -p y start", "docker-compose"),
    ("docker-compose run --rm web sh", "docker-compose"),
    ("docker-compose exec web sh", "docker-compose"),
    ("docker compose build", "docker-compose"),
    ("docker compose -f x.yml --profile a up -d", "docker-compose"),
    ("docker --context x compose --project-name y run web", "docker-compose"),
    ("npm run dev", "dev-server"),
    ("bun run start", "dev-server"),
    ("yarn run serve", "dev-server"),
    ("pnpm run dev -- --port 3000", "dev-server"),
    ("npm start", "dev-server"),
    ("yarn dev", "dev-server"),
    ("pnpm dev", "dev-server"),
    // Quotes, escapes, lines.
    ("\"docker\" build .", "docker-build"),
    ("'docker' \"build\" .", "docker-build"),
    ("d\\ocker bu\"ild\" .", "docker-build"),
    ("do\\\ncker \\\n  build .", "docker-build"),
    ("docker \\\r\n  build .\r\n", "docker-build"),
    ("$'docker' $'bu\\x69ld' .", "docker-build"),
    ("{docker,build,.}", "docker-build"),
    ("docker\tbuild .", "docker-build"),
    ("/usr/bin/docker build .", "docker-build"),
    ("~/bin/docker build .", "docker-build"),
    ("$HOME/bin/docker build .", "docker-build"),
    ("docker build . # why not", "docker-build"),
    ("docker build -f - . <<'EOF'\nFROM x\nEOF", "docker-build"),
    ("cat <<EOF\nx\nEOF\ndocker build .", "docker-build"),
    ("cat <<-EOF | docker build -\n\tx\n\tEOF", "docker-build"),
    // Options with values.
    ("docker -H tcp://x:1 build .", "docker-build"),
    ("docker --host=tcp://x:1 -D build .", "docker-build"),
    ("docker -c x build .", "docker-build"),
    ("docker $DOCKER_OPTIONS build .", "docker-build"),
    ("docker \"${options[@]}\" build .", "docker-build"),
    ("docker-compose ${FILES} up", "docker-compose"),
    ("npm --prefix web run dev", "dev-server"),
    ("npm run --prefix web dev", "dev-server"),
    ("npm -w web run dev", "dev-server"),
    ("npm --silent run dev", "dev-server"),
    ("npm run-script dev", "dev-server"),
    ("npm --prefix web start", "dev-server"),
    ("pnpm -C web run dev", "dev-server"),
    ("pnpm --filter web dev", "dev-server"),
    ("pnpm -r --parallel run dev", "dev-server"),
    ("yarn workspace web dev", "dev-server"),
    ("yarn workspace web run dev", "dev-server"),
    ("yarn workspaces foreach -A run dev", "dev-server"),
    ("yarn --cwd web dev", "dev-server"),
    ("bun --cwd web run dev", "dev-server"),
    ("bun run --filter web dev", "dev-server"),
    ("bun --hot run dev", "dev-server"),
    // Lists, compound commands, functions.
    ("cd web && npm run dev", "dev-server"),
    ("true || npm run dev", "dev-server"),
    ("cd web; npm run dev", "dev-server"),
    ("cd web\nnpm run dev", "dev-server"),
    ("npm run dev &", "dev-server"),
    ("npm run dev&", "dev-server"),
    ("npm run dev >log 2>&1 &", "dev-server"),
    ("npm run dev | tee log", "dev-server"),
    ("npm run dev |& tee log", "dev-server"),
    ("(cd web; npm run dev)", "dev-server"),
    ("{ npm run dev; }", "dev-server"),
    ("! docker build .", "docker-build"),
    ("if true; then docker build .; fi", "docker-build"),
    ("if docker build .; then true; fi", "docker-build"),
    ("if false; then :; elif true; then docker build .; else :; fi", "docker-build"),
    ("while true; do npm run dev; done", "dev-server"),
    ("until docker build .; do :; done", "docker-build"),
    ("for x in a b; do docker build $x; done", "docker-build"),
    ("for ((i=0; i<3; i++)); do docker build .; done", "docker-build"),
    ("case $x in a) docker build . ;; esac", "docker-build"),
    ("case $x in\n  (a|b)\n    npm run dev\n    ;;\nesac", "dev-server"),
    ("build() { docker build .; }; build", "docker-build"),
    ("function build { docker build .; }", "docker-build"),
    ("time docker build .", "docker-build"),
    ("time -p docker build .", "docker-build"),
    ("[[ -f x ]] && docker build .", "docker-build"),
    ("[ -f x ] && docker build .", "docker-build"),
    ("(( x > 1 )) && docker build .", "docker-build"),
    ("x=(a b); docker build .", "docker-build"),
    ("> log docker build .", "docker-build"),
    ("DOCKER_BUILDKIT=1 docker build .", "docker-build"),
    ("A=1 B='x y' C=$(d) npm run dev", "dev-server"),
    // Substitutions.
    ("echo $(docker build -q .)", "docker-build"),
    ("echo \"id: $(docker build -q .)\"", "docker-build"),
    ("id=`docker build -q .`", "docker-build"),
    ("echo \"`docker build -q .`\"", "docker-build"),
    ("echo ${id:-$(docker build -q .)}", "docker-build"),
    ("echo $(( $(docker build -q . | wc -l) + 1 ))", "docker-build"),
    ("diff <(docker build .) x", "docker-build"),
    ("x > >(docker build -)", "docker-build"),
    ("x=($(docker build -q .))", "docker-build"),
    ("git commit -m \"see `npm run dev`\"", "dev-server"),
    // Wrappers.
    ("sudo docker build .", "docker-build"),
    ("sudo -E -u root docker build .", "docker-build"),
    ("sudo DOCKER_HOST=x docker build .", "docker-build"),
    ("doas -u root docker build .", "docker-build"),
    ("env PORT=3001 npm run dev", "dev-server"),
    ("env -i -u X A=1 npm run dev", "dev-server"),
    ("env -S 'npm run dev'", "dev-server"),
    ("nohup npm run dev &", "dev-server"),
    ("setsid -f npm run dev", "dev-server"),
    ("timeout 60 npm run dev", "dev-server"),
    ("timeout -k 5 --signal INT 60 npm run dev", "dev-server"),
    ("nice -n 10 docker build .", "docker-build"),
    ("ionice -c 2 -n 7 docker build .", "docker-build"),
    ("exec npm run dev", "dev-server"),
    ("exec -a x npm run dev", "dev-server"),
    ("command docker build .", "docker-build"),
    ("builtin command docker build .", "docker-build"),
    ("echo . | xargs docker build", "docker-build"),
    ("echo . | xargs -0 -n 1 -I{} docker build {}", "docker-build"),
    ("stdbuf -oL npm run dev", "dev-server"),
    ("/usr/bin/time -f %e docker build .", "docker-build"),
    ("sudo env A=1 nohup nice timeout 5 docker build .", "docker-build"),
    ("bash -c 'docker build .'", "docker-build"),
    ("sh -c \"cd web && npm run dev\"", "dev-server"),
    ("bash -lc 'npm run dev'", "dev-server"),
    ("bash -euo pipefail -c 'docker build .'", "docker-build"),
    ("bash -c \"bash -c 'docker build .'\"", "docker-build"),
    ("bash <<'EOF'\ndocker build .\nEOF", "docker-build"),
    ("bash <<< 'docker build .'", "docker-build"),
    ("eval 'docker build .'", "docker-build"),
    ("eval docker build .", "docker-build"),
    ("trap 'docker-compose up' EXIT", "docker-compose"),
    ("nix develop -c npm run dev", "dev-server"),
    ("nix develop .#web --command bash -c 'npm run dev'", "dev-server"),
    ("nix --extra-experimental-features 'nix-command flakes' develop -c npm run dev", "dev-server"),
    ("nix shell nixpkgs#docker -c docker build .", "docker-build"),
    ("nix shell nixpkgs#docker --command docker build .", "docker-build"),
    ("nix run nixpkgs#bun -- run dev", "dev-server"),
    ("nix run nixpkgs#docker-compose -- up", "docker-compose"),
    ("nix-shell -p nodejs --run 'npm run dev'", "dev-server"),
    ("direnv exec . npm run dev", "dev-server"),
    ("find . -name x -exec docker build {} \\;", "docker-build"),
    ("find . -name x -execdir docker build {} +", "docker-build"),
    ("npx -y pnpm dev", "dev-server"),
    ("corepack pnpm dev", "dev-server"),
    ("npx concurrently 'npm run dev' 'npm run worker'", "dev-server"),
    ("tmux new-session -d -s web 'npm run dev'", "dev-server"),
    ("tmux send-keys -t web 'npm run dev' Enter", "dev-server"),
    ("watch -n 5 docker build .", "docker-build"),
    ("su - user -c 'docker build .'", "docker-build"),
    ("script -qc 'docker build .' /dev/null", "docker-build"),
    ("flock /tmp/x docker build .", "docker-build"),
    // Files.
    ("cat > Dockerfile", "dockerfile"),
    ("cat > Dockerfile <<EOF\nFROM x\nEOF", "dockerfile"),
    ("cat <<EOF >> web/Dockerfile.dev\nx\nEOF", "dockerfile"),
    ("echo x >| api.Dockerfile", "dockerfile"),
    ("echo x &> Containerfile", "dockerfile"),
    ("> Dockerfile", "dockerfile"),
    ("{ echo a; echo b; } > Dockerfile", "dockerfile"),
    ("(echo a) > \"$DIR/Dockerfile\"", "dockerfile"),
    ("echo x | tee Dockerfile", "dockerfile"),
    ("echo x | sudo tee -a web/Dockerfile > /dev/null", "dockerfile"),
    ("touch web/{package.json,Dockerfile}", "dockerfile"),
    ("touch .dockerignore", "dockerignore"),
    ("cp template.txt Dockerfile", "dockerfile"),
    ("cp templates/Dockerfile .", "dockerfile"),
    ("cp -t web templates/Dockerfile", "dockerfile"),
    ("mv x docker-compose.yml", "docker-compose-file"),
    ("mv a b docker-compose.yaml web/", "docker-compose-file"),
    ("git mv x Dockerfile", "dockerfile"),
    ("ln -s ../Dockerfile", "dockerfile"),
    ("install -m 644 x Dockerfile", "dockerfile"),
    ("dd if=x of=Dockerfile", "dockerfile"),
    ("sed -i 's/a/b/' Dockerfile", "dockerfile"),
    ("sed -i.bak -e 's/a/b/' web/Dockerfile", "dockerfile"),
    ("truncate -s 0 Dockerfile", "dockerfile"),
    ("curl -fsSL -o Dockerfile http://x/y", "dockerfile"),
    ("wget http://x/Dockerfile", "dockerfile"),
    ("sed s/a/b/ x > docker-compose.yml", "docker-compose-file"),
    (
        "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: Dockerfile\n+FROM x\n*** End Patch\nEOF",
        "dockerfile",
    ),
];

#[test]
fn what_is_no_command_passes() {
    let sandbox = Sandbox::new();
    for text in PASS {
        let output = guard(&sandbox, ["command", "--", text]).output();
        assert_eq!((output.code, &*output.stdout, &*output.stderr), (0, "", ""), "{text}");
    }
}

#[test]
fn what_a_rule_is_against_is_refused() {
    let sandbox = Sandbox::new();
    for (text, rule) in REFUSED {
        let output = guard(&sandbox, ["command", "--", text]).output();
        assert_eq!((output.code, &*output.stderr), (1, ""), "{text}");
        assert_eq!(verdicts(&output.stdout), [format!("deny {rule}")], "{text}");
    }
}

#[test]
fn a_refusal_says_what_why_and_what_instead() {
    let sandbox = Sandbox::new();
    guard(&sandbox, ["command", "--", "cd web\n  sudo docker --context x build . > Dockerfile"])
        .output()
        .code(1)
        .stdout(
            "2:8: deny docker-build: `docker build`: an image is built by Nix: the same bytes on a laptop and in \
             CI; instead: `nix build .#image-NAME`, then `pushimg`; `docker load` and `docker run` stay allowed\n\
             2:37: deny dockerfile: `Dockerfile`: an image is made of store paths, from the same flake as \
             everything else; instead: an image in the flake: `nix build .#image-NAME`\n",
        )
        .stderr("");
}

#[test]
fn the_text_may_come_on_stdin_or_in_words() {
    let sandbox = Sandbox::new();
    for run in [
        guard(&sandbox, ["command"]).stdin("true\nnpm run dev\n"),
        guard(&sandbox, ["command", "--", "npm", "run", "dev"]),
    ] {
        let output = run.output().code(1);
        assert_eq!(verdicts(&output.stdout), ["deny dev-server"]);
    }
    guard(&sandbox, ["command"]).stdin("").output().code(0).stdout("").stderr("");
    guard(&sandbox, ["command"]).stdin([0xff, 0xfe, 0]).output().code(0).stdout("").stderr("");
}

#[test]
fn json_and_annotations() {
    let sandbox = Sandbox::new();
    let output =
        guard(&sandbox, ["command", "--format", "json", "--", "a; docker build -t x ."]).output();
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(
        (output.code, json["refused"].as_u64(), json["warnings"].as_u64()),
        (1, Some(1), Some(0))
    );
    let words = ["rule", "level", "what", "text"].map(|key| finding[key].as_str().unwrap());
    assert_eq!(words, ["docker-build", "deny", "docker build", "docker build -t x ."]);
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(1), Some(4)));
    guard(&sandbox, ["command", "--format", "json", "--", "true"])
        .output()
        .code(0)
        .stdout("{\"findings\":[],\"refused\":0,\"warnings\":0}\n")
        .stderr("");
    guard(&sandbox, ["command", "--format", "github", "--", "npm start"])
        .output()
        .code(1)
        .stdout("::error title=guard%3A dev-server::`npm start`: [..]\n")
        .stderr("");
}

#[test]
fn what_cannot_be_judged_is_2() {
    let sandbox = Sandbox::new();
    let deep = "$(".repeat(1000);
    guard(&sandbox, ["command", "--", &deep]).output().code(2).stdout("").stderr(
        "guard: failed to judge the command: it nests deeper than anything that is judged\n",
    );
    let much = " ".repeat((4 << 20) + 1);
    guard(&sandbox, ["command"])
        .stdin(much)
        .output()
        .code(2)
        .stdout("")
        .stderr("guard: stdin is larger than 4194304 bytes\n");
    let output = guard(&sandbox, ["command", "--nope"]).output();
    assert_eq!((output.code, &*output.stdout), (2, ""));
}
