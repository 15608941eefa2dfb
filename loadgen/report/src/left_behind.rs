//! Documents that a run may have left on a target, and how to remove them: the same words in every report.

use crate::escape::{markdown, markdown_code};
use contract::key::is_key;
use contract::visible;

/// A shell command that deletes the documents of these keys at a URL that a key is appended to; none without keys. A key is put into it only if it is made
/// like one: a server chooses keys.
#[must_use]
pub fn command(delete_url: &str, keys: &[String]) -> Option<String> {
    let keys: Vec<&str> = keys.iter().map(String::as_str).filter(|key| is_key(key)).collect();
    let url = delete_url.replace('\'', "'\\''");
    let command = || format!("for key in {}; do curl -sS -X DELETE '{url}'\"$key\"; echo; done", keys.join(" "));
    (!keys.is_empty()).then(command)
}

fn sentence(keys: &[String], target: &str) -> String {
    format!("Documents of this run may be left on {target}: {}.", keys.join(" "))
}

/// For a terminal, a line each; none without keys. `target` is where they may be left.
#[must_use]
pub fn lines(keys: &[String], command: Option<&str>, target: &str) -> Vec<String> {
    if keys.is_empty() {
        return Vec::new();
    }
    let remove = command.map(|command| format!("To delete them: {}", visible(command)));
    std::iter::once(visible(&sentence(keys, target))).chain(remove).collect()
}

/// For a pull request; empty without keys.
#[must_use]
pub fn in_markdown(keys: &[String], command: Option<&str>, target: &str) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let remove = |command| format!("\nTo delete them:\n\n```sh\n{}\n```\n", markdown_code(command));
    format!("\n{}\n{}", markdown(&sentence(keys, target)), command.map(remove).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(of: &[&str]) -> Vec<String> {
        of.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn the_command_deletes_at_the_targets_own_path_and_runs_nothing_that_a_server_chose() {
        let url = "http://USER:PASSWORD@127.0.0.1:8080/app/it's/delete?session=";
        let command = command(url, &keys(&["A4K", "$(reboot)", "B5LC", "';x"])).expect("two keys");
        let expected = "for key in A4K B5LC; do curl -sS -X DELETE \
                        'http://USER:PASSWORD@127.0.0.1:8080/app/it'\\''s/delete?session='\"$key\"; echo; done";
        assert_eq!(command, expected);
        assert_eq!(super::command(url, &keys(&["$(reboot)"])), None);
    }

    #[test]
    fn what_may_be_left_is_listed_with_the_command_or_nothing_is_said() {
        let left = keys(&["A4K", "B\u{1b}|"]);
        let [what, how] = &lines(&left, Some("curl"), "http://x/")[..] else { panic!("two lines") };
        assert_eq!(what, "Documents of this run may be left on http://x/: A4K B\\u{1b}|.");
        assert_eq!(how, "To delete them: curl");
        assert_eq!(
            in_markdown(&left, Some("curl"), "target"),
            "\nDocuments of this run may be left on target: A4K B\\\\u{1b}\\|.\n\nTo delete them:\n\n```sh\ncurl\n```\n"
        );
        assert!(lines(&[], None, "x").is_empty() && in_markdown(&[], None, "x").is_empty());
    }
}
