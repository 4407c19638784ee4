//! `.env.example` is the manual of the settings: it lists each that the code reads, and no other.

use std::collections::BTreeSet;

/// Where the list in the code and the manual differ. Names that begin with `AWS_` go to the S3 client.
pub fn differences(code: &str, manual: &str) -> Vec<String> {
    let list = code.split_once("const NAMES").and_then(|(_, rest)| rest.split_once("];")).map_or("", |(list, _)| list);
    let read: BTreeSet<&str> = list.split('"').skip(1).step_by(2).collect();
    let told: BTreeSet<&str> = manual
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name)
        .filter(|name| is_name(name) && !name.starts_with("AWS_"))
        .collect();
    let untold = read.difference(&told).map(|name| {
        format!(
            ".env.example does not tell `{name}`.\n  Say what it is for and what its default is, as a line `#{name}=…`."
        )
    });
    let unread = told
        .difference(&read)
        .map(|name| format!(".env.example tells `{name}`, which src/config/source.rs does not read.\n  Take it out."));
    untold.chain(unread).collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn a_setting_that_one_side_lacks_is_found() {
    let code = "const NAMES: &[&str] = &[\n \"APP_URL\",\n \"DATA_DIR\",\n];";
    assert!(differences(code, "# text = no name\n#APP_URL=x\n#DATA_DIR=\n#AWS_REGION=").is_empty());
    assert_eq!(differences(code, "#APP_URL=x").len(), 1);
    assert_eq!(differences(code, "#APP_URL=x\n#DATA_DIR=\n#DATA_DRI=").len(), 1);
}
