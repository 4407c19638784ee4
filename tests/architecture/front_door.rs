//! Features meet at their front doors: `crate::accounts::Account`, never `crate::accounts::store::…`.

use super::floors::{floor, is_feature};
use super::references::references;
use super::source::Source;

/// Paths that reach past the front door of another feature.
///
/// The wiring above the features may also name a feature's `routes`, since all routes stand in one list.
pub fn back_door_imports(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/")) {
        let from = source.top().to_owned();
        for reference in references(source) {
            let [feature, inner, ..] = reference.path.as_slice() else {
                continue;
            };
            if *feature == from || !is_feature(feature) || !is_module(sources, feature, inner) {
                continue;
            }
            let wiring = floor(&from).is_some_and(|(floor, _)| floor == 4);
            if wiring && inner == "routes" {
                continue;
            }
            violations.push(format!(
                "{}:{}: `{from}` reaches into `{feature}::{inner}`.\n  A feature shows what others may use in its \
                 `mod.rs`. Use what `{feature}` offers there, or add a function to its service and `pub use` it.",
                source.path, reference.line
            ));
        }
    }
    violations
}

fn is_module(sources: &[Source], feature: &str, inner: &str) -> bool {
    sources.iter().any(|source| {
        let modules = source.modules();
        modules.first() == Some(&feature) && modules.get(1) == Some(&inner)
    })
}

#[cfg(test)]
fn found(path: &str, text: &str) -> usize {
    let store = Source::new("src/accounts/store.rs", "");
    let routes = Source::new("src/accounts/routes/mod.rs", "");
    back_door_imports(&[store, routes, Source::new(path, text)]).len()
}

#[test]
fn a_back_door_is_found() {
    assert_eq!(found("src/messages/service.rs", "use crate::accounts::store::find;"), 1);
    assert_eq!(found("src/messages/service.rs", "use crate::accounts::{Account, store};"), 1);
    assert_eq!(found("src/messages/service_tests.rs", "use crate::accounts::store;"), 1);
}

#[test]
fn the_front_door_is_open() {
    assert_eq!(found("src/messages/service.rs", "use crate::accounts::Account;"), 0);
    assert_eq!(found("src/accounts/service.rs", "use crate::accounts::store::find;"), 0);
}

#[test]
fn the_wiring_may_list_routes_and_nothing_else() {
    assert_eq!(found("src/router.rs", "use crate::accounts::routes;"), 0);
    assert_eq!(found("src/router.rs", "use crate::accounts::store;"), 1);
}
