//! Options and operands: which words of a command are its subcommand, and which only stand before it.

use crate::policy::Pattern;
use crate::shell::Word;

/// The options of programs that take the next word as their value. Any other option is one word.
const WITH_VALUE: [(&[&str], &str); 6] = [
    (
        &["docker", "docker-compose", "podman", "podman-compose", "nerdctl"],
        "-H --host -c --context --config -l --log-level --tlscacert --tlscert --tlskey -f --file -p \
         --project-name --profile --env-file --project-directory --ansi --parallel --progress \
         --builder --connection --url --identity --root --runroot --storage-driver -n --namespace \
         -a --address",
    ),
    (
        &["npm"],
        "--prefix -C -w --workspace --loglevel --userconfig --globalconfig --cache --registry \
         --script-shell --node-options --include --omit",
    ),
    (
        &["pnpm"],
        "-C --dir --prefix -F --filter --filter-prod --workspace-concurrency --loglevel --reporter \
         --resume-from --store-dir --changed-files-ignore-pattern --test-pattern",
    ),
    (
        &["yarn"],
        "--cwd --modules-folder --cache-folder --global-folder --registry --mutex --use-yarnrc \
         --network-timeout --network-concurrency -j --jobs --include --exclude --from",
    ),
    (
        &["bun"],
        "--cwd -F --filter -c --config --env-file --port -r --preload --require --import -d --define \
         --shell --elide-lines --tsconfig-override --conditions",
    ),
    (
        &["nix"],
        "--experimental-features --extra-experimental-features -I --include --inputs-from --system \
         --store --eval-store -j --max-jobs --cores --log-format --profile -f --file --expr -k --keep \
         -u --unset --refresh-rate",
    ),
];

/// The options of nix that take two values.
const WITH_TWO_VALUES: [&str; 5] =
    ["--option", "--override-input", "--arg", "--argstr", "--set-env-var"];

/// The options of a program that take a value.
pub(super) fn with_value(program: &str) -> &'static str {
    let known = WITH_VALUE.iter().find(|(programs, _)| programs.contains(&program));
    known.map_or("", |(_, options)| options)
}

/// Whether a word is an option.
pub(super) fn is_option(word: &Word) -> bool {
    word.text.len() > 1 && word.text.starts_with('-')
}

/// The index after the option at `at`, and after its value, if that is a word of its own.
pub(super) fn after_option(words: &[Word], at: usize, with_value: &str) -> usize {
    let Some(word) = words.get(at) else { return at };
    let takes = |option: &str| with_value.split_whitespace().any(|known| known == option);
    let text = word.text.as_str();
    if takes(text) {
        return at + 2;
    }
    if WITH_TWO_VALUES.contains(&text) {
        return at + 3;
    }
    // In `-Eu root`, the last letter takes the value; in `-uroot`, the value is there.
    let letters = text.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
    let first = letters.and_then(|letters| {
        letters.char_indices().find(|(_, letter)| takes(&format!("-{letter}"))).zip(Some(letters))
    });
    match first {
        Some(((index, letter), letters)) if index + letter.len_utf8() == letters.len() => at + 2,
        _ => at + 1,
    }
}

/// The index of the first word, from `from` on, that is neither an option nor an option's value.
pub(super) fn first_operand(words: &[Word], from: usize, with_value: &str) -> usize {
    let mut at = from;
    while let Some(word) = words.get(at) {
        if word.text == "--" {
            return at + 1;
        }
        if !is_option(word) {
            break;
        }
        at = after_option(words, at, with_value);
    }
    at
}

/// All operands of a program, options left out wherever they stand.
pub(super) fn operands<'a>(words: &'a [Word], with_value: &str) -> Vec<&'a Word> {
    let mut found = Vec::new();
    let mut at = 1;
    while let Some(word) = words.get(at) {
        if word.text == "--" {
            found.extend(words.get(at + 1..).unwrap_or_default());
            break;
        }
        if is_option(word) {
            at = after_option(words, at, with_value);
        } else {
            found.push(word);
            at += 1;
        }
    }
    found
}

/// The operands of a program, one after the other, with the index of each.
#[derive(Debug)]
pub(super) struct Operands<'a> {
    words: &'a [Word],
    program: &'a str,
    at: usize,
    /// Whether a subcommand was seen.
    begun: bool,
    /// Whether the next operand is the name of a script.
    is_script: bool,
}

impl<'a> Operands<'a> {
    pub(super) fn new(words: &'a [Word]) -> Self {
        let program = words.first().map_or("", Word::base_name);
        Self { words, program, at: 1, begun: false, is_script: false }
    }

    /// How many words stand before the subcommand `text` and belong to it: `yarn workspace web …`.
    fn prefix(&self, text: &str) -> usize {
        match (self.program, text) {
            ("yarn", "workspace") => 2,
            ("yarn", "workspaces" | "foreach") | ("pnpm", "recursive" | "multi" | "m") => 1,
            _ => 0,
        }
    }
}

impl<'a> Iterator for Operands<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let word = self.words.get(self.at)?;
            if word.text == "--" {
                self.at += 1;
            } else if is_option(word) {
                self.at = after_option(self.words, self.at, with_value(self.program));
            } else if word.vanishing && !self.is_script {
                // `docker $OPTIONS build`: most likely more options, or nothing.
                self.at += 1;
            } else {
                let prefix = if self.begun { 0 } else { self.prefix(&word.text) };
                if prefix > 0 {
                    self.at += prefix;
                    continue;
                }
                let at = self.at;
                self.at += 1;
                self.begun = true;
                let text = synonym(self.program, &word.text);
                self.is_script = text == "run";
                return Some((at, text));
            }
        }
    }
}

/// The usual name of a subcommand that has several.
fn synonym<'a>(program: &str, text: &'a str) -> &'a str {
    match (program, text) {
        ("npm" | "pnpm", "run-script") | ("npm", "rum" | "urn") => "run",
        _ => text,
    }
}

/// The program and the operands that a pattern names, under their usual names; none for another command.
pub(crate) fn matched<'a>(pattern: &Pattern, words: &'a [Word]) -> Option<Vec<&'a str>> {
    let program = words.first()?.base_name();
    if !pattern.is_about(program) {
        return None;
    }
    let mut operands = Operands::new(words);
    let mut names = vec![program];
    for alternatives in pattern.operands() {
        let (_, text) = operands.next()?;
        if !alternatives.iter().any(|alternative| alternative == text) {
            return None;
        }
        names.push(text);
    }
    // Asking what a command would do is no use of it.
    let own = words.iter().take_while(|word| word.text != "--");
    let asks_for_help = own.skip(1).any(|word| word.text == "--help");
    (!asks_for_help).then_some(names)
}
