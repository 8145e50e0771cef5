//! Who may call which method. A method that is not listed cannot be called.

use wathiq_chassis::{MethodRule, UserRule};

/// The rules of the package's methods.
pub const RULES: &[MethodRule] = &[MethodRule {
    path: "/wathiq.notification.v1.MessageService/ListMessages",
    clients: &["gateway"],
    user: UserRule::Required,
}];

#[cfg(test)]
mod tests {
    use super::RULES;

    #[test]
    fn every_method_of_the_package_has_a_rule() {
        let mut methods = wathiq_chassis::server::method_paths(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
        methods.retain(|path| path.starts_with("/wathiq.notification."));
        methods.sort();
        let mut rules: Vec<String> = RULES.iter().map(|rule| rule.path.to_owned()).collect();
        rules.sort();
        assert!(!methods.is_empty());
        assert_eq!(methods, rules);
    }
}
