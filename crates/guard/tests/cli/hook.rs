//! The hook of an agent: exit 2 and words on stderr, or nothing at all.

use serde_json::{Value, json};
use testkit::{Output, Sandbox};

use crate::guard;

fn call(sandbox: &Sandbox, tool: &str, input: &Value) -> Output {
    let call = json!({
        "session_id": "x",
        "hook_event_name": "PreToolUse",
        "cwd": sandbox.work(),
        "tool_name": tool,
        "tool_input": input,
    });
    guard(sandbox, ["hook"]).stdin(call.to_string()).output()
}

#[track_caller]
fn passes(sandbox: &Sandbox, tool: &str, input: &Value) {
    call(sandbox, tool, input).code(0).stdout("").stderr("");
}

#[track_caller]
fn refused(sandbox: &Sandbox, tool: &str, input: &Value, rule: &str) {
    let output = call(sandbox, tool, input).code(2);
    assert_eq!(output.stdout, "");
    assert!(
        output.stderr.contains(&format!(" is refused by the rule `{rule}`: ")),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
}

#[test]
fn a_refusal_names_the_alternative() {
    let sandbox = Sandbox::new();
    sandbox.write("process-compose.yaml", "processes: {api: {command: bun run dev}}\n");
    call(&sandbox, "Bash", &json!({"command": "bun run dev", "description": "start"}))
        .code(2)
        .stdout("")
        .stderr(
            "guard: `bun run dev` is refused by the rule `dev-server`: a dev server is a process among others: with \
             its port, its log and its order of start\n\
             hint: `bun run dev` is process `api`: `pc up api`\n",
        );
}

#[test]
fn commands_of_every_shape() {
    let sandbox = Sandbox::new();
    for (tool, input) in [
        ("Bash", json!({"command": "docker build ."})),
        ("run_shell_command", json!({"command": "docker build .", "directory": "x"})),
        ("shell", json!({"command": ["bash", "-lc", "docker build ."], "workdir": "/"})),
        ("shell", json!({"command": ["docker", "build", "."]})),
        ("exec_command", json!({"cmd": "docker build ."})),
    ] {
        refused(&sandbox, tool, &input, "docker-build");
    }
    for (tool, input) in [
        ("Bash", json!({"command": "nix build"})),
        ("Bash", json!({"command": "git commit -m 'docker build'"})),
        ("Bash", json!({"command": ""})),
        ("shell", json!({"command": ["echo", "docker build"]})),
        ("mcp__other__run", json!({"command": "docker build ."})),
        ("Grep", json!({"pattern": "docker build", "path": "Dockerfile"})),
        ("WebFetch", json!({"url": "http://x/Dockerfile", "prompt": "docker build"})),
        ("Task", json!({"prompt": "docker build ."})),
        ("SlashCommand", json!({"command": "/docker build"})),
        ("Skill", json!({"command": "npm run dev"})),
        ("Grep", json!({"pattern": "x", "path": "Dockerfile", "content": "x"})),
    ] {
        passes(&sandbox, tool, &input);
    }
}

#[test]
fn files_of_every_shape() {
    let sandbox = Sandbox::new();
    let at = |name: &str| sandbox.path(name).display().to_string();
    for (tool, input) in [
        ("Write", json!({"file_path": at("Dockerfile"), "content": "FROM x"})),
        ("Write", json!({"file_path": "/elsewhere/Dockerfile", "content": ""})),
        ("Write", json!({"file_path": "web/Dockerfile.dev"})),
        ("Edit", json!({"file_path": at("Dockerfile"), "old_string": "a", "new_string": "b"})),
        (
            "MultiEdit",
            json!({"file_path": at("Dockerfile"), "edits": [{"old_string": "a", "new_string": "b"}]}),
        ),
        ("NotebookEdit", json!({"notebook_path": at("x.Dockerfile"), "new_source": "x"})),
        ("write_file", json!({"file_path": "Dockerfile", "content": "x"})),
        ("replace", json!({"file_path": "Dockerfile", "old_string": "a", "new_string": "b"})),
        (
            "str_replace_based_edit_tool",
            json!({"command": "create", "path": "Dockerfile", "file_text": "x"}),
        ),
        (
            "apply_patch",
            json!({"input": "*** Begin Patch\n*** Add File: Dockerfile\n+x\n*** End Patch"}),
        ),
        (
            "apply_patch",
            json!({"command": "*** Begin Patch\n*** Update File: a\n*** Move to: b/Dockerfile\n*** End Patch"}),
        ),
        (
            "apply_patch",
            json!("*** Begin Patch\n*** Update File: Dockerfile\n@@\n-a\n+b\n*** End Patch"),
        ),
        (
            "shell",
            json!({"command": ["apply_patch", "*** Begin Patch\n*** Add File: Dockerfile\n+x\n*** End Patch"]}),
        ),
        (
            "Bash",
            json!({"command": "apply_patch <<'E'\n*** Begin Patch\n*** Add File: Dockerfile\n+x\n*** End Patch\nE"}),
        ),
    ] {
        refused(&sandbox, tool, &input, "dockerfile");
    }
    for (tool, input) in [
        ("Read", json!({"file_path": at("Dockerfile")})),
        ("Read", json!({"file_path": at("Dockerfile"), "offset": 1, "limit": 2})),
        ("Write", json!({"file_path": at("README.md"), "content": "docker build .\nnpm run dev"})),
        ("Write", json!({"file_path": at("flake.nix"), "content": "docker build ."})),
        ("Edit", json!({"file_path": at("a.md"), "old_string": "a", "new_string": "docker build"})),
        (
            "apply_patch",
            json!({"input": "*** Begin Patch\n*** Delete File: Dockerfile\n*** End Patch"}),
        ),
        (
            "apply_patch",
            json!({"input": "*** Begin Patch\n*** Update File: Dockerfile\n*** Move to: a.txt\n*** End Patch"}),
        ),
        ("mcp__files__write", json!({"path": "Dockerfile", "content": "x"})),
        ("NotebookEdit", json!({"notebook_path": at("x.ipynb"), "new_source": "!docker build ."})),
    ] {
        passes(&sandbox, tool, &input);
    }
}

#[test]
fn commands_in_what_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("a.sh", "docker build old\nx\n");
    sandbox.write("package.json", "{\"scripts\": {\"dev\": \"vite\"}}");
    for (tool, input) in [
        ("Write", json!({"file_path": "b.sh", "content": "set -e\ndocker build ."})),
        ("Write", json!({"file_path": "a.sh", "content": "docker build old\ndocker build old"})),
        ("Edit", json!({"file_path": "a.sh", "old_string": "x", "new_string": "docker build new"})),
        (
            "Edit",
            json!({"file_path": "a.sh", "old_string": "not there", "new_string": "docker build new"}),
        ),
        (
            "Edit",
            json!({"file_path": "package.json", "old_string": "vite", "new_string": "docker build ."}),
        ),
        (
            "MultiEdit",
            json!({"file_path": "a.sh", "edits": [{"old_string": "x", "new_string": "y"}, {"old_string": "y", "new_string": "docker build ."}]}),
        ),
        (
            "Write",
            json!({"file_path": ".github/workflows/x.yml", "content": "jobs: {a: {steps: [{uses: docker/build-push-action@v6}]}}"}),
        ),
        (
            "apply_patch",
            json!({"input": "*** Begin Patch\n*** Update File: a.sh\n@@\n-x\n+docker build .\n*** End Patch"}),
        ),
        (
            "apply_patch",
            json!({"input": "*** Begin Patch\n*** Add File: c.sh\n+docker build .\n*** End Patch"}),
        ),
    ] {
        refused(&sandbox, tool, &input, "docker-build");
    }
    // A patch by way of a shell, and a file that only holds one.
    let patch = "*** Begin Patch\n*** Add File: c.sh\n+docker build .\n*** End Patch\n";
    let fed = format!("cd . && apply_patch <<'E'\n{patch}E");
    refused(&sandbox, "Bash", &json!({"command": fed}), "docker-build");
    refused(&sandbox, "shell", &json!({"command": ["bash", "-lc", fed]}), "docker-build");
    passes(&sandbox, "Write", &json!({"file_path": "x.patch", "content": patch}));
    passes(&sandbox, "Bash", &json!({"command": format!("cat <<'E'\n{patch}E")}));
    for (tool, input) in [
        // What is there already is not the agent's doing.
        ("Write", json!({"file_path": "a.sh", "content": "true; docker build old"})),
        ("Edit", json!({"file_path": "a.sh", "old_string": "x", "new_string": "y"})),
        (
            "Edit",
            json!({"file_path": "a.sh", "old_string": "docker build old\n", "new_string": "nix build\n"}),
        ),
        (
            "Edit",
            json!({"file_path": "package.json", "old_string": "vite", "new_string": "npm run dev"}),
        ),
        // Half-written.
        (
            "Write",
            json!({"file_path": "package.json", "content": "{\"scripts\": {\"x\": \"docker build .\""}),
        ),
        ("Write", json!({"file_path": "node_modules/x/a.sh", "content": "docker build ."})),
    ] {
        passes(&sandbox, tool, &input);
    }
}

#[test]
fn an_agent_cannot_excuse_itself_but_people_can() {
    let sandbox = Sandbox::new();
    let excused = "FROM x\n# guard:allow dockerfile the vendor's\n";
    refused(
        &sandbox,
        "Write",
        &json!({"file_path": "Dockerfile", "content": excused}),
        "dockerfile",
    );
    refused(
        &sandbox,
        "Bash",
        &json!({"command": "docker build . # guard:allow docker-build mine"}),
        "docker-build",
    );
    sandbox.write("Dockerfile", excused);
    passes(
        &sandbox,
        "Edit",
        &json!({"file_path": "Dockerfile", "old_string": "FROM x", "new_string": "FROM y"}),
    );
    sandbox.write("b/Dockerfile", "");
    refused(
        &sandbox,
        "Edit",
        &json!({"file_path": "b/Dockerfile", "old_string": "", "new_string": "y"}),
        "dockerfile",
    );
    sandbox.write(
        "guard-baseline.toml",
        "[[tolerated]]\nfile = 'b/Dockerfile'\nrule = 'dockerfile'\ntext = 'b/Dockerfile'\n",
    );
    passes(
        &sandbox,
        "Edit",
        &json!({"file_path": sandbox.path("b/Dockerfile"), "old_string": "", "new_string": "y"}),
    );
}

#[test]
fn what_is_tolerated_does_not_make_room_for_more() {
    let sandbox = Sandbox::new();
    sandbox.write("a.sh", "docker build .\n");
    sandbox.write(
        "guard-baseline.toml",
        "[[tolerated]]\nfile = 'a.sh'\nrule = 'docker-build'\ntext = 'docker build .'\n",
    );
    let twice = json!({"file_path": "a.sh", "content": "docker build .\ndocker build .\n"});
    refused(&sandbox, "Write", &twice, "docker-build");
    passes(&sandbox, "Write", &json!({"file_path": "a.sh", "content": "true\ndocker build .\n"}));
}

#[test]
fn a_warning_stops_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "guard.toml",
        "extends = 'default'\n[[rule]]\nid = 'docker-build'\nlevel = 'warn'\n",
    );
    let output = call(&sandbox, "Bash", &json!({"command": "docker build ."})).code(0);
    assert_eq!(output.stdout, "");
    assert!(
        output.stderr.starts_with("guard: warning: `docker build` is advised against "),
        "{}",
        output.stderr
    );
}

#[test]
fn the_agents_folder_has_the_policy() {
    let sandbox = Sandbox::new();
    sandbox.write("a/guard.toml", "[[rule]]\nid = 'x'\ncommand = ['x']\nmessage = 'm'\n");
    let call = json!({"cwd": sandbox.path("a"), "tool_name": "Bash", "tool_input": {"command": "docker build ."}});
    guard(&sandbox, ["hook"]).stdin(call.to_string()).output().code(0).stdout("").stderr("");
}

#[test]
fn what_cannot_be_judged_passes_unless_closed() {
    let sandbox = Sandbox::new();
    let deep =
        json!({"tool_name": "Bash", "tool_input": {"command": "$(".repeat(1000)}}).to_string();
    let inputs = [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{}",
        "{\"tool_name\":\"Bash\"}",
        "{\"tool_name\":5,\"tool_input\":{}}",
        "{\"tool_name\":\"Bash\",\"tool_input\":{}}",
        "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":5}}",
        "{\"tool_name\":\"Bash\",\"tool_input\":[]}",
        "{\"tool_name\":\"Write\",\"tool_input\":{\"content\":\"x\"}}",
        "{\"tool_name\":\"Write\",\"tool_input\":{\"file_path\":[],\"content\":\"x\"}}",
        "{\"tool_name\":\"shell\",\"tool_input\":{\"command\":[5]}}",
        &deep,
    ];
    for input in inputs {
        for (args, code) in [(["hook", "--fail", "open"], 1), (["hook", "--fail", "closed"], 2)] {
            let output = guard(&sandbox, args).stdin(input).output();
            assert_eq!((output.code, &*output.stdout), (code, ""), "{input}");
            assert!(
                output.stderr.starts_with("guard: failed to judge the tool call, which is "),
                "{}",
                output.stderr
            );
        }
    }
    sandbox.write("guard.toml", "nonsense\n");
    assert_eq!(call(&sandbox, "Bash", &json!({"command": "true"})).code, 1);
}

#[test]
fn a_mistyped_flag_does_not_refuse_everything() {
    let sandbox = Sandbox::new();
    let code = |args: &[&str]| {
        let output = sandbox.run(env!("CARGO_BIN_EXE_guard")).args(args).output();
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{args:?}");
        output.code
    };
    assert_eq!(code(&["hook", "--fial", "open"]), 1);
    assert_eq!(code(&["--color", "never", "hook", "--fail", "opne"]), 1);
    assert_eq!(code(&["hook", "extra"]), 1);
    assert_eq!(code(&["hook", "--fail", "closed", "--typo"]), 2);
    assert_eq!(code(&["hook", "--fail=closed", "--typo"]), 2);
    assert_eq!(code(&["files", "--typo", "hook"]), 2);
    assert_eq!(code(&["command", "--typo"]), 2);
}

#[test]
fn what_is_odd_about_a_call_opens_no_door() {
    let sandbox = Sandbox::new();
    let dockerfile = sandbox.path("Dockerfile").display().to_string();
    refused(&sandbox, "Write", &json!({"file_path": dockerfile, "content": 5}), "dockerfile");
    let insert =
        json!({"command": "insert", "path": dockerfile, "insert_line": 1, "insert_text": "b"});
    refused(&sandbox, "str_replace_based_edit_tool", &insert, "dockerfile");
    let patch = "*** Begin Patch\n  *** Add File: Dockerfile\n+FROM x\n*** End Patch\n";
    refused(&sandbox, "apply_patch", &json!({"input": patch}), "dockerfile");
    let call = json!({"tool_name": "Bash", "tool_input": {"command": "docker build ."}});
    let marked = guard(&sandbox, ["hook"]).stdin(format!("\u{feff}{call}")).output();
    assert_eq!(marked.code, 2, "{}", marked.stderr);
}

#[test]
fn what_is_tolerated_may_be_changed_by_a_command_too() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("Dockerfile", "FROM x\n");
    sandbox.write("a/Dockerfile", "# guard:allow dockerfile the vendor's tool wants it\nFROM x\n");
    drop(git.ok(["add", "--all"]));
    guard(&sandbox, ["baseline", "--write"])
        .output()
        .code(0)
        .stdout("")
        .stderr("[..]: 1 finding tolerated\n");
    for command in
        ["sed -i s/x/y/ Dockerfile", "echo RUN y >> a/Dockerfile", "cd a && touch Dockerfile"]
    {
        passes(&sandbox, "Bash", &json!({"command": command}));
    }
    for command in ["touch b/Dockerfile", "cd b && touch Dockerfile", "(cd a); cp x b.Dockerfile"] {
        refused(&sandbox, "Bash", &json!({"command": command}), "dockerfile");
    }
}
