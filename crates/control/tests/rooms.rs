//! Methods about rooms.
#![cfg(unix)]

mod support;

use serde_json::json;
use support::Served;

#[tokio::test]
async fn every_wish_about_a_room_has_its_method() {
    let served = Served::start().await;
    let room = "team@conference.example.com";
    for (method, params, command) in [
        (
            "room.create",
            json!({ "name": "Team", "topic": "Lunch", "persistent": true, "membersOnly": true,
                    "invite": ["bob@example.com"] }),
            "Room(Create { name: \"Team\", topic: Some(\"Lunch\"), persistent: true, members_only: true, \
             invite: [",
        ),
        ("room.join", json!({ "room": room, "password": "x" }), "Room(Join {"),
        ("room.leave", json!({ "room": room }), "Room(Leave {"),
        ("room.destroy", json!({ "room": room }), "Room(Destroy {"),
        ("room.invite", json!({ "room": room, "who": "bob@example.com" }), "Room(Invite {"),
        ("room.answer", json!({ "room": room, "accept": false }), "Room(Answer {"),
        ("room.subject", json!({ "room": room, "subject": "Tea" }), "Room(Subject {"),
        ("room.nick", json!({ "room": room, "nick": "al" }), "Room(Nick {"),
        ("room.browse", json!({}), "Room(Browse { service: None"),
        ("room.bookmark", json!({ "room": room, "autojoin": true }), "Room(Bookmark {"),
        ("room.configure", json!({ "room": room, "membersOnly": true }), "Room(Configure {"),
        ("room.role", json!({ "room": room, "nick": "bob", "role": "none" }), "Room(Role {"),
        (
            "room.affiliate",
            json!({ "room": room, "who": "bob@example.com", "affiliation": "outcast" }),
            "Room(Affiliate {",
        ),
        ("room.moderate", json!({ "room": room, "id": "m1", "reason": "spam" }), "Room(Moderate {"),
    ] {
        served.ok(method, params).await;
        let last = served.host.last();
        assert!(last.starts_with(command), "{method}: {last}");
        assert!(!last.contains("\"x\""), "a password is never printed: {last}");
    }
    let error = served.error("room.join", json!({ "room": room, "color": "red" })).await;
    assert_eq!(error["code"], -32602);
}

#[tokio::test]
async fn rooms_and_their_listing_are_shown() {
    let served = Served::start().await;
    let list = served.ok("room.list", json!({})).await;
    assert_eq!(list, json!({ "items": [], "more": false, "invitations": [] }));
    let listing = served.ok("room.listing", json!({})).await;
    assert_eq!(listing["busy"], false);
    let error =
        served.error("room.members", json!({ "room": "team@conference.example.com" })).await;
    assert_eq!(error["code"], -32002);
}
