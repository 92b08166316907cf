//! Passwords of the directory's reader. Layers of settings hold none (`setting` drops them), so they
//! are read beside them, for the sign-in that brought the document and no longer.

use offhook_model::{Secret, Source};

use crate::keys::find;
use crate::xml::{Element, parse};

/// The password for the directory in a service profile (`Directory/Password`) or in a client
/// configuration file (`ConnectionPassword` and `BDIConnectionPassword`; reference
/// client-config.md section 7). Nothing where there is none, or where the document cannot be read:
/// whoever reads its settings tells that.
pub fn read_directory_password(data: &[u8], source: Source) -> Option<Secret<String>> {
    let root = parse(data).ok()?.root;
    let password = match source {
        Source::ServiceProfile => root.find("Directory")?.child("Password")?.value()?,
        _ => connection_password(&root, source)?,
    };
    Some(Secret::from(password))
}

/// The last one counts, as with every key that stands in one place twice; but one under its own name
/// before that of BDI.
fn connection_password(element: &Element, source: Source) -> Option<&str> {
    let mut found: Option<(bool, &str)> = None;
    let mut open = vec![element];
    while let Some(element) = open.pop() {
        open.extend(element.children.iter().rev());
        let key = find(&element.name, source).filter(|(key, _)| key.name == "ConnectionPassword");
        let Some(value) = key.and_then(|_| element.value()) else { continue };
        let own = element.name == "ConnectionPassword";
        if found.is_none_or(|(before, _)| own || !before) {
            found = Some((own, value));
        }
    }
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use offhook_model::Source;

    use super::read_directory_password;

    fn check(source: Source, document: &str, password: Option<&str>) {
        let read = read_directory_password(document.as_bytes(), source);
        assert_eq!(read.as_ref().map(|it| it.expose().as_str()), password, "{document}");
    }

    #[test]
    fn passwords_are_read_where_they_are_documented() {
        let file = |body: &str| format!("<config><Directory>{body}</Directory></config>");
        let check_file = |body: &str, password| check(Source::GlobalFile, &file(body), password);
        check_file("<ConnectionPassword>one</ConnectionPassword>", Some("one"));
        check_file("<BDIConnectionPassword>two</BDIConnectionPassword>", Some("two"));
        check_file(
            "<ConnectionPassword>one</ConnectionPassword><BDIConnectionPassword>two</BDIConnectionPassword>",
            Some("one"),
        );
        check_file("<ConnectionUsername>name</ConnectionUsername>", None);
        check_file("<ConnectionPassword/>", None);
        check(
            Source::ServiceProfile,
            "<serviceProfile><Directory><DN>cn=r</DN><Password>three</Password></Directory></serviceProfile>",
            Some("three"),
        );
        check(Source::ServiceProfile, "<serviceProfile/>", None);
        check(Source::GlobalFile, "no xml", None);
    }
}
