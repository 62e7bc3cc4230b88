//! A `JUnit` report: a test case for each process, a failure for each that failed.

use std::fmt::Write as _;

/// One process, and why it failed if it did.
pub(crate) type Case = (String, Option<(String, Vec<String>)>);

/// The report as XML.
pub(crate) fn junit(project: &str, cases: &[Case]) -> String {
    let failures = cases.iter().filter(|(_, failure)| failure.is_some()).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = escape(project);
    let tests = cases.len();
    // Writing to a string cannot fail.
    let _written =
        writeln!(xml, "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">");
    for (process, failure) in cases {
        let process = escape(process);
        let _written = match failure {
            None => writeln!(xml, "  <testcase classname=\"{name}\" name=\"{process}\"/>"),
            Some((message, tail)) => writeln!(
                xml,
                "  <testcase classname=\"{name}\" name=\"{process}\">\n    \
                 <failure message=\"{}\">{}</failure>\n  </testcase>",
                escape(message),
                escape(&tail.join("\n"))
            ),
        };
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Text of XML; characters that XML cannot hold become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_xml() {
        let failure = ("exit code 3".to_owned(), vec!["a < b && \u{1b}[1m".to_owned()]);
        let cases = [("db".to_owned(), None), ("we\"b".to_owned(), Some(failure))];
        assert_eq!(
            junit("p", &cases),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"p\" tests=\"2\" failures=\"1\">\n  \
             <testcase classname=\"p\" name=\"db\"/>\n  \
             <testcase classname=\"p\" name=\"we&quot;b\">\n    \
             <failure message=\"exit code 3\">a &lt; b &amp;&amp; \u{fffd}[1m</failure>\n  \
             </testcase>\n</testsuite>\n"
        );
    }
}
