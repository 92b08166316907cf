//! LDAP filters as administrators write them.

/// The filter (RFC 4515) that a written one means: with its outer parentheses, and without an
/// operator before a single condition, as in the seed's `(&objectClass=inetOrgPerson)` (reference
/// client-config.md section 7.3). `None` when nothing was to mend.
pub fn mended_filter(written: &str) -> Option<String> {
    let trimmed = written.trim();
    let inner = trimmed.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.filter(|inner| closes_at_its_end(inner));
    let body = inner.unwrap_or(trimmed);
    let single = body.strip_prefix(['&', '|']).filter(|rest| !rest.trim_start().starts_with('('));
    let mended = match single {
        Some(condition) => format!("({})", condition.trim()),
        // Several conditions side by side can only be meant together.
        None if body.starts_with('(') => format!("(&{body})"),
        None => format!("({})", body.trim()),
    };
    (mended != trimmed && !body.is_empty()).then_some(mended)
}

/// Parentheses inside never close more than they opened, so that those around are a pair.
fn closes_at_its_end(inner: &str) -> bool {
    let mut depth = 0i32;
    for c in inner.chars() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::mended_filter;

    #[track_caller]
    fn check(written: &str, mended: Option<&str>) {
        assert_eq!(mended_filter(written).as_deref(), mended, "{written}");
    }

    #[test]
    fn single_conditions_need_no_operator() {
        check("(&objectClass=inetOrgPerson)", Some("(objectClass=inetOrgPerson)"));
        check("&objectClass=inetOrgPerson", Some("(objectClass=inetOrgPerson)"));
        check("objectClass=person", Some("(objectClass=person)"));
    }

    #[test]
    fn good_filters_stay() {
        check("(objectClass=person)", None);
        check("(&(objectCategory=person)(objectClass=user))", None);
        check("(a=1)(b=2)", Some("(&(a=1)(b=2))"));
        check("", None);
    }
}
