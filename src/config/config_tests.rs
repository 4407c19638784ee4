use std::os::unix::fs::PermissionsExt;

use super::*;

fn source(dir: &Path, more: &[(&str, &str)]) -> Source {
    let mut pairs = vec![("DATA_DIR", dir.to_str().unwrap())];
    pairs.extend_from_slice(more);
    Source::from_pairs(pairs)
}

fn refusal(dir: &Path, more: &[(&str, &str)]) -> String {
    Config::load(&source(dir, more)).unwrap_err().to_string()
}

#[test]
fn a_named_folder_that_is_absent_is_an_error_and_is_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let typo = dir.path().join("dtaa");
    assert!(refusal(&typo, &[]).contains("is not a folder"));
    assert!(!typo.exists());
    let database = format!("sqlite://{}/nowhere/x.db", dir.path().display());
    assert!(refusal(dir.path(), &[("DATABASE_URL", &database)]).contains("does not exist"));
}

#[test]
fn keys_are_generated_once_and_only_the_owner_may_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let first = Config::load(&source(dir.path(), &[])).unwrap();
    let again = Config::load(&source(dir.path(), &[])).unwrap();
    assert_eq!(first.keys.encryption[0].0, again.keys.encryption[0].0);
    assert_eq!(first.keys.tracking, again.keys.tracking);
    let mode = std::fs::metadata(dir.path().join("secrets.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn postgresql_wants_its_keys_given() {
    let dir = tempfile::tempdir().unwrap();
    let message = refusal(dir.path(), &[("DATABASE_URL", "postgres://u:geheim@127.0.0.1/x")]);
    assert!(message.contains("ENCRYPTION_KEY") && !message.contains("geheim"));
    assert!(!dir.path().join("secrets.toml").exists());
}

#[test]
fn several_keys_are_read_in_their_order_and_a_short_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (new, old) = ("ab".repeat(32), "CD".repeat(32));
    let keys = format!("2026:{new},old:{old}");
    let config = Config::load(&source(dir.path(), &[("ENCRYPTION_KEY", &keys)])).unwrap();
    assert_eq!(config.keys.encryption.iter().map(|key| key.0[0]).collect::<Vec<_>>(), [0xab, 0xcd]);
    assert!(refusal(dir.path(), &[("ENCRYPTION_KEY", "abcd")]).contains("64 hex digits"));
}

#[test]
fn bad_values_name_the_setting() {
    let dir = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("BIND_ADDR", "everywhere"),
        ("ALLOW_PRIVATE_NETWORKS", "maybe"),
        ("APP_URL", "ftp://x"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, somewhere"),
        ("STORAGE_URL", "/tmp/x"),
        ("EXTRA_CA_CERTS", "/nonexistent.pem"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_URL", "mysql://x"),
    ] {
        assert!(refusal(dir.path(), &[(name, value)]).contains(name), "{name}");
    }
}
