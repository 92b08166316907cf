//! Methods about people.
#![cfg(unix)]

mod support;

use serde_json::{Value, json};
use support::Served;

const BOB: &str = "Jid { bare: \"bob@example.com\", resource: None }";

#[tokio::test]
async fn every_wish_about_people_has_its_method() {
    let served = Served::start().await;
    let bob = "bob@example.com";
    for (method, params, command) in [
        (
            "people.alert",
            json!({ "contact": bob }),
            "People(Alert { contact: Jid(bob@example.com), on: true })",
        ),
        (
            "people.block",
            json!({ "contact": bob }),
            "People(Block { who: Jid(bob@example.com), on: true })",
        ),
        (
            "people.unblock",
            json!({ "contact": bob }),
            "People(Block { who: Jid(bob@example.com), on: false })",
        ),
        (
            "people.watch",
            json!({ "contact": bob, "on": false }),
            "People(Watch { who: Jid(bob@example.com), on: false })",
        ),
        (
            "people.setPhoto",
            json!({ "path": "/tmp/me.png" }),
            "People(OwnPhoto { path: Some(\"/tmp/me.png\") })",
        ),
        ("people.setPhoto", json!({}), "People(OwnPhoto { path: None })"),
        (
            "presence.idle",
            json!({ "seconds": 900, "locked": true }),
            "People(Idle { seconds: 900, locked: true })",
        ),
        (
            "roster.groups",
            json!({ "contact": bob, "groups": ["A", "B"] }),
            "People(Groups { contact: Jid(bob@example.com), groups: [\"A\", \"B\"] })",
        ),
        (
            "roster.renameGroup",
            json!({ "from": "A", "to": "B" }),
            "People(RenameGroup { from: \"A\", to: \"B\" })",
        ),
        (
            "presence.set",
            json!({ "activity": "presenting" }),
            "People(Activity { activity: Some(Presenting) })",
        ),
        (
            "presence.set",
            json!({ "availability": "dnd", "activity": null }),
            "People(Activity { activity: None })",
        ),
    ] {
        assert_eq!(served.ok(method, params).await, json!({}), "{method}");
        let told = served.host.last().replace(BOB, "Jid(bob@example.com)");
        assert_eq!(told, command);
    }
    let groups = json!({ "contact": bob, "groups": ["A", "B"] });
    served.ok("roster.add", groups).await;
    assert!(served.host.last().contains("groups: Some([\"A\", \"B\"])"), "{}", served.host.last());
}

#[tokio::test]
async fn details_and_photos_are_asked_for_and_told_as_far_as_they_are_known() {
    let served = Served::start().await;
    let details = served.ok("people.details", json!({ "contact": "bob@example.com/x" })).await;
    assert_eq!(details["busy"], true);
    assert!(served.host.last().starts_with("People(Details"));
    let photo = served.ok("people.photo", json!({ "contact": "bob@example.com" })).await;
    assert_eq!(photo, json!({ "photo": null, "size": null }));
    assert!(served.host.last().starts_with("People(Photo"));
    let blocked = served.ok("people.blocked", Value::Null).await;
    assert_eq!(blocked, json!({ "items": [], "more": false }));
}

#[tokio::test]
async fn what_is_not_valid_is_refused() {
    let served = Served::start().await;
    for (method, params) in [
        ("presence.set", json!({})),
        ("presence.set", json!({ "note": "n" })),
        ("presence.set", json!({ "activity": "sleeping" })),
        ("presence.idle", json!({ "seconds": -1 })),
        ("people.block", json!({ "contact": "" })),
        ("people.alert", json!({ "contact": "bob@example.com", "when": 1 })),
        ("roster.groups", json!({ "contact": "bob@example.com" })),
        ("people.photo", json!({})),
    ] {
        assert_eq!(served.error(method, params).await["code"], -32602, "{method}");
    }
}
