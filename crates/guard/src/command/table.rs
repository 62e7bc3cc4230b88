//! Programs that run another command, as data.

/// Programs that take a command after their options: the options with a value, the operands before the command.
pub(super) const WRAPPERS: [(&[&str], &str, usize); 24] = [
    (
        &["sudo"],
        "-u --user -g --group -h --host -p --prompt -C --close-from -D --chdir -R --chroot -r --role \
         -t --type -T --command-timeout -U --other-user",
        0,
    ),
    (&["doas"], "-u -C", 0),
    (
        &[
            "nohup",
            "setsid",
            "builtin",
            "noglob",
            "nocorrect",
            "unbuffer",
            "chronic",
            "fakeroot",
            "rlwrap",
            "corepack",
            ",",
            "busybox",
            "unshare",
            "arch",
            "entr",
        ],
        "",
        0,
    ),
    (&["time"], "-f --format -o --output", 0),
    (&["timeout", "gtimeout"], "-s --signal -k --kill-after", 1),
    (&["nice"], "-n --adjustment", 0),
    (&["ionice"], "-c --class -n --classdata", 0),
    (&["exec"], "-a", 0),
    (
        &["xargs", "gxargs"],
        "-a --arg-file -d --delimiter -E -I -L --max-lines -n --max-args -P --max-procs -s --max-chars \
         -R -J -S --process-slot-var",
        0,
    ),
    (&["stdbuf", "gstdbuf"], "-i --input -o --output -e --error", 0),
    (&["chrt", "taskset"], "", 1),
    (&["chroot"], "--userspec --groups", 1),
    (&["caffeinate"], "-t -w", 0),
    (
        &["systemd-run", "systemd-inhibit", "dbus-run-session"],
        "-p --property -u --unit --slice -E --setenv --uid --gid --nice --working-directory -M --machine \
         --description --what --who --why --mode --config-file",
        0,
    ),
    (&["xvfb-run"], "-e --error-file -f --auth-file -n --server-num -s --server-args -w --wait", 0),
    (&["strace", "ltrace"], "-e -o -p -s -u -E -P -S -a -b", 0),
    (
        &["watchexec", "parallel", "dotenv", "screen"],
        "-w --watch --exts -f --filter -i --ignore -j --jobs -e -S -t",
        0,
    ),
    (&["runuser"], "-u --user -g --group -G --supp-group -s --shell", 0),
    (&["script"], "-I -O -B -T -m -E -t -F", 1),
    (&["dumb-init", "tini"], "-r --rewrite -p -e", 0),
    (&["gosu", "su-exec", "sg"], "", 1),
    (&["env-cmd"], "-f --file -e --environments -r --rc-file", 0),
    (&["npx", "bunx", "pnpx"], "-p --package -w --workspace", 0),
    (&["flock"], "-w --timeout -E --conflict-exit-code", 1),
];

/// Subcommands that take a command: as above, for the words after the subcommand.
pub(super) const SUBCOMMANDS: [(&[&str], &[&str], &str, usize); 12] = [
    (&["direnv"], &["exec"], "", 1),
    (&["npm"], &["exec", "x"], "-p --package -w --workspace", 0),
    (&["pnpm"], &["exec", "dlx"], "--package", 0),
    (&["yarn"], &["exec", "dlx"], "-p --package", 0),
    (&["bun"], &["x"], "-p --package", 0),
    (&["asdf", "direnv"], &["exec"], "", 0),
    (&["nvm"], &["exec"], "", 1),
    (&["volta"], &["run"], "--node --npm --yarn --pnpm", 0),
    (&["fnm"], &["exec"], "--using", 0),
    (&["devbox"], &["run"], "-c --config -e --env --env-file", 0),
    (&["devenv"], &["shell"], "-O --option", 0),
    (
        &["poetry", "pipenv", "pdm", "rye", "hatch", "uv"],
        &["run"],
        "-p --python --with --env-file",
        0,
    ),
];

/// Subcommands whose command begins after `--`.
pub(super) const AFTER_DASHES: [(&[&str], &[&str]); 4] = [
    (&["mise", "rtx"], &["exec", "x"]),
    (
        &["op", "doppler", "infisical", "dotenvx", "teller", "chamber", "aws-vault"],
        &["run", "exec"],
    ),
    (&["flox"], &["activate"]),
    (&["zellij"], &["run", "r"]),
];

/// Options whose value is a text for a shell.
pub(super) const TEXT_OPTIONS: [(&[&str], &[&str]); 4] = [
    (&["su", "sg", "runuser", "script", "flock"], &["-c", "--command", "--session-command"]),
    (&["nix-shell"], &["--run", "--command"]),
    (&["npx"], &["-c", "--call"]),
    (&["flox"], &["-c", "--command"]),
];
