//! What savers and the login manager say.

use std::collections::HashMap;

use zbus::Message;
use zbus::zvariant::Value;

use super::read;

fn signal<B>(body: &B) -> Message
where
    B: serde::Serialize + zbus::zvariant::DynamicType,
{
    Message::signal("/x", "org.example.Saver", "ActiveChanged")
        .expect("valid")
        .build(body)
        .expect("valid")
}

#[test]
fn both_ways_to_say_it_are_read_and_nothing_else() {
    assert_eq!(read(&signal(&true)), Some(true));
    assert_eq!(read(&signal(&false)), Some(false));
    let none: Vec<String> = Vec::new();
    let changed = |name: &'static str, value: Value<'static>| {
        let session = "org.freedesktop.login1.Session";
        signal(&(session, HashMap::from([(name, value)]), none.clone()))
    };
    assert_eq!(read(&changed("LockedHint", true.into())), Some(true));
    assert_eq!(read(&changed("LockedHint", "yes".into())), None);
    assert_eq!(read(&changed("IdleHint", true.into())), None);
    assert_eq!(read(&signal(&"locked")), None);
    assert_eq!(read(&signal(&7_u32)), None);
}
