//! The /me command (XEP-0245): a message about its writer.

/// What the writer does, where the message begins with `/me ` exactly (XEP-0245 section 2): the
/// text after it, to be shown behind the writer's name. `*` or other words before it make it an
/// ordinary message.
pub fn action(body: &str) -> Option<&str> {
    body.strip_prefix("/me ").filter(|rest| !rest.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::action;

    #[test]
    fn a_message_about_its_writer_begins_with_the_command() {
        assert_eq!(action("/me shrugs in disgust"), Some("shrugs in disgust"));
        // The examples of section 2 that are none.
        let none =
            ["/meshrugs", "/me's disgusted", " /me shrugs", "\"/me shrugs\"", "* Ann shrugs"];
        assert!(none.iter().all(|body| action(body).is_none()));
        assert_eq!((action("/me"), action("/me  ")), (None, None));
        assert_eq!(action("Why did Ann say\n/me shrugs"), None);
    }
}
