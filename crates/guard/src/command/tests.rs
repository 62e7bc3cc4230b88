use super::*;
use crate::policy::Pattern;
use crate::shell::Place;

/// What a text does: programs with their words, `>` before a file that is written.
fn acts(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let text = Text { text: text.to_owned(), place: Place::START };
    walk_text(&text, Path::new("/nowhere"), &mut |act| match act {
        Act::Runs(words) => {
            found.push(words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" "));
        }
        Act::Writes(word) => found.push(format!(">{}", word.text)),
        Act::Feeds(word, text) => found.push(format!("{}<{}", word.text, text.text)),
    })
    .unwrap();
    found.iter().map(|act| act.replace(crate::shell::HOLE, "_")).collect()
}

#[track_caller]
fn last(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(acts(text).last().map(String::as_str), Some(*expected), "{text}");
    }
}

#[test]
fn wrappers_are_taken_off() {
    last(&[
        ("A=1 b", "b"),
        ("sudo -Eu root -- b c", "b c"),
        ("sudo -uroot X=1 b", "b"),
        ("doas b", "b"),
        ("env -i -u X A=1 B=2 b c", "b c"),
        ("env -S 'b c' d", "b c d"),
        ("env -Sb c", "b c"),
        ("nohup setsid time -f %e timeout -k 5 60 nice -n 5 ionice -c2 -n7 b", "b"),
        ("exec -a x b", "b"),
        ("command -p b", "b"),
        ("command -v b", "command -v b"),
        ("builtin command b", "b"),
        ("xargs -0 -I{} -n 1 b {}", "b {}"),
        ("xargs -I {} b", "b"),
        ("stdbuf -oL b", "b"),
        ("bash -c 'b c'", "b c"),
        ("bash -euo pipefail -c 'b c' x", "b c"),
        ("/bin/sh -lc \"b $X\"", "b _"),
        ("zsh -c b", "b"),
        ("bash -c \"bash -c 'sudo b'\"", "b"),
        ("eval 'b c' d", "b c d"),
        ("eval \"b c\"", "b c"),
        ("trap 'b c' EXIT", "b c"),
        ("bash <<'E'\nb c\nE", "b c"),
        ("bash -s x <<E\nb c\nE", "b c"),
        ("sh <<< 'b c'", "b c"),
        ("cat <<'E' | bash\nb c\nE", "b c"),
        ("cat <<E | tee x | sh -s\nb c\nE", "b c"),
        ("echo 'b c' | sh", "b c"),
        ("printf 'b c\\n' | sudo bash", "b cn"),
        ("echo 'b c' || sh", "sh"),
        ("echo 'b c' | cat", "cat<b c"),
        ("parallel 'b {}' ::: c", "b {}"),
        ("parallel b ::: c", "b ::: c"),
        ("runuser -u x -- b c", "b c"),
        ("script -q /dev/null b c", "b c"),
        ("sg docker -c 'b c'", "b c"),
        ("tini -- b c", "b c"),
        ("nodemon --exec b c", "b c"),
        ("npx b@9 c", "b c"),
        ("npx @a/b@9 c", "@a/b c"),
        ("npx concurrently@9 'b c'", "b c"),
        ("corepack b@9 c", "b c"),
        ("npx env-cmd -f x b c", "b c"),
        ("nvm exec 18 b c", "b c"),
        ("pm2 start 'b c'", "b c"),
        ("pm2 start b --name x -- c d", "b c d"),
        ("hyperfine -w 3 'b c'", "b c"),
        ("npx start-server-and-test 'b c' http://x d", "d"),
        ("env -vS 'b c'", "b c"),
        ("git bisect run b c", "b c"),
        ("git rebase -x 'b c' main", "b c"),
        ("git submodule foreach 'b c'", "b c"),
        ("zellij run -- b c", "b c"),
        ("nix develop -c b c", "b c"),
        ("nix develop .#x --command bash -c 'b c'", "b c"),
        ("nix --extra-experimental-features 'nix-command flakes' shell nixpkgs#x -c b", "b"),
        ("nix --option a b develop -c c", "c"),
        ("nix run nixpkgs#bun -- run dev", "bun run dev"),
        ("nix run nixpkgs#docker build .", "docker build ."),
        (", b c", "b c"),
        ("watchexec -rc -w x -- b", "b"),
        ("nix run github:o/r#a.b.docker-compose -- up", "docker-compose up"),
        ("nix-shell -p x --run 'b c'", "b c"),
        ("direnv exec . b c", "b c"),
        ("find . -name x -exec b {} \\;", "b {}"),
        ("find . -execdir a \\; -exec b {} +", "b {}"),
        ("fd x -x b", "b"),
        ("npx -y b c", "b c"),
        ("npx -c 'b c'", "b c"),
        ("npm exec -- b", "b"),
        ("pnpm --filter x exec b", "b"),
        ("bun x b", "b"),
        ("corepack b", "b"),
        ("watch -n 2 b c", "b c"),
        ("su - user -c 'b c'", "b c"),
        ("script -qc 'b c' /dev/null", "b c"),
        ("flock /tmp/x b", "b"),
        ("concurrently -n a,b 'a' 'b c'", "b c"),
        ("tmux new-session -d -s x 'b c'", "b c"),
        ("tmux send-keys -t x 'b c' Enter", "Enter"),
        ("mise x node@20 -- b c", "b c"),
        ("poetry run b", "b"),
        ("cross-env A=1 b", "b"),
    ]);
}

#[test]
fn what_is_not_known_is_not_guessed() {
    for text in ["$X b", "\"$X\" b", "$(which a)", "sudo $X b"] {
        let acts = acts(text);
        assert!(acts.iter().all(|act| !act.starts_with('b')), "{text}: {acts:?}");
    }
    assert_eq!(acts("nix run .#docker -- build"), ["nix run .#docker -- build"]);
    assert_eq!(acts("$X/bin/b c"), ["_/bin/b c"]);
    assert_eq!(acts("ssh host b c"), ["ssh host b c"]);
}

#[test]
fn files_that_are_written_are_found() {
    for (text, expected) in [
        ("a > f", vec![">f"]),
        ("tee -a f g", vec![">f", ">g"]),
        ("sudo tee f", vec![">f"]),
        ("touch -d x f {g,h}", vec![">f", ">g", ">h"]),
        ("cp a b", vec![">b"]),
        ("cp a b/", vec![">b/a"]),
        ("cp -r x/a x/b .", vec![">./a", ">./b"]),
        ("cp -t d x/a", vec![">d/a"]),
        ("mv --target-directory=d a", vec![">d/a"]),
        ("cp a{,.bak}", vec![">a.bak"]),
        ("install -m 644 a b", vec![">b"]),
        ("install -d b", vec![]),
        ("ln -s ../a", vec![">a"]),
        ("git mv a b", vec![">b"]),
        ("git commit -m b", vec![]),
        ("dd if=a of=b", vec![">b"]),
        ("sed -i s/a/b/ f", vec![">f"]),
        ("sed -i '' s/a/b/ f", vec![">f"]),
        ("sed -Ei.bak -e s/a/b/ f", vec![">f"]),
        ("sed -n s/i/b/ f", vec![]),
        ("curl -o f http://x/y", vec![">f"]),
        ("curl -LO http://x/f?a", vec![">f"]),
        ("curl http://x/f", vec![]),
        ("wget -O f http://x/y", vec![">f"]),
        ("wget http://x/f", vec![">f"]),
        ("wget -qO- http://x/f", vec![]),
        ("wget -qO - http://x/f", vec![]),
        ("wget -nv -qO f http://x/y", vec![">f"]),
        ("curl -sSLo f http://x/y", vec![">f"]),
        ("curl -sSLof http://x/y", vec![">f"]),
        ("curl -fsSLO http://x/f", vec![">f"]),
        ("curl -H O http://x/f", vec![]),
        ("curl --output=f http://x/y", vec![">f"]),
        ("perl -pi -e s/a/b/ f g", vec![">f", ">g"]),
        ("perl -i.bak -pe s/a/b/ f", vec![">f"]),
        ("perl -e 1 f", vec![]),
        ("rsync -a x/f .", vec![">./f"]),
        ("scp h:x/f .", vec![">./f"]),
        ("scp f h:x/", vec![]),
        ("cat f", vec![]),
    ] {
        let written: Vec<String> =
            acts(text).into_iter().filter(|act| act.starts_with('>')).collect();
        assert_eq!(written, expected, "{text}");
    }
}

#[test]
fn options_do_not_hide_the_subcommand() {
    let matches = |pattern: &[&str], text: &str| {
        let pattern = Pattern::of(pattern.iter().copied()).unwrap();
        let mut hit = false;
        let text = Text { text: text.to_owned(), place: Place::START };
        walk_text(&text, Path::new("/"), &mut |act| {
            if let Act::Runs(words) = act {
                hit |= matched(&pattern, words).is_some();
            }
        })
        .unwrap();
        hit
    };
    for text in [
        "docker build",
        "docker --context x build",
        "docker -H tcp://x -D build",
        "docker --host=x build",
        "docker $OPTIONS build",
        "docker \"${OPTIONS[@]}\" build",
        "/usr/bin/docker build",
        "$BIN/docker build",
        "docker -- build",
    ] {
        assert!(matches(&["docker", "build"], text), "{text}");
    }
    for text in [
        "docker run build",
        "docker \"$X\" build",
        "docker",
        "docker builds",
        "docker build --help",
        "docker buildx build",
        "echo docker build",
    ] {
        assert!(!matches(&["docker", "build"], text), "{text}");
    }
    let run = ["npm|bun|yarn|pnpm", "run", "dev|start"];
    for text in [
        "npm --prefix web run dev",
        "npm run -w web dev",
        "npm run --silent dev",
        "pnpm -C web run dev",
        "pnpm --filter web -r run start",
        "bun --cwd x run dev",
        "yarn workspace web run dev",
        "yarn workspaces foreach -A run dev",
        "npm run-script dev",
        "npm $X run dev",
        "npm run dev -- --help",
    ] {
        assert!(matches(&run, text), "{text}");
    }
    for text in
        ["npm run dev:types", "npm run $X dev", "npm add run dev", "npm test run dev", "bun dev"]
    {
        assert!(!matches(&run, text), "{text}");
    }
    assert!(matches(&["yarn|pnpm", "dev"], "yarn workspace web dev"));
    assert!(!matches(&["yarn|pnpm", "dev"], "yarn add dev"));
}

#[test]
fn texts_within_texts_end() {
    let deep = |unit: &str| {
        let text = Text { text: unit.repeat(50_000) + "x", place: Place::START };
        walk_text(&text, Path::new("/"), &mut |_| {})
    };
    for unit in ["eval ", "sudo ", "npx ", "flock x ", "find -exec ", "env -S "] {
        assert_eq!(deep(unit), Err(TooDeep), "{unit}");
    }
}

#[test]
fn cd_is_followed_where_it_leads() {
    for (text, written) in [
        ("cd a && touch b", "a/b"),
        ("cd a; cd ../c; > b", "a/../c/b"),
        ("(cd a); touch b", "b"),
        ("(cd a && x); (touch b)", "b"),
        ("cd a | touch b", "b"),
        ("cd $X && touch b", "b"),
        ("cd a && bash -c 'cd c; touch d' && touch b", "a/b"),
        ("cd /a && cp x b", "/a/b"),
        ("x=$(cd a && pwd); touch b", "b"),
    ] {
        assert_eq!(acts(text).last().unwrap(), &format!(">{written}"), "{text}");
    }
}
