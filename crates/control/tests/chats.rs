//! Methods about conversations.
#![cfg(unix)]

mod support;

use offhook_model::ErrorCode;
use serde_json::json;
use support::Served;

const BOB: &str = "Jid { bare: \"bob@example.com\", resource: None }";

#[tokio::test]
async fn conversations_are_listed() {
    let served = Served::start().await;
    let list = served.ok("chat.list", json!({})).await;
    assert_eq!(list["more"], false);
    assert_eq!(list["items"][0]["with"], "bob@example.com");
    assert_eq!(list["items"][0]["draft"], "Dear");
    let message = served.error("chat.list", json!({ "with": "bob@example.com" })).await;
    assert_eq!(message["code"], -32602);
}

#[tokio::test]
async fn every_wish_about_a_conversation_has_its_method() {
    let served = Served::start().await;
    let with = "bob@example.com";
    for (method, params, command) in [
        (
            "chat.reply",
            json!({ "with": with, "to": "m1", "body": "Yes" }),
            "Chat(Reply { with: Jid(bob@example.com), to: MessageId(\"m1\"), body: \"Yes\" })",
        ),
        (
            "chat.correct",
            json!({ "with": with, "id": "m1", "body": "No" }),
            "Chat(Correct { with: Jid(bob@example.com), id: MessageId(\"m1\"), body: \"No\" })",
        ),
        (
            "chat.react",
            json!({ "with": with, "id": "m1", "emoji": ["👍"] }),
            "Chat(React { with: Jid(bob@example.com), id: MessageId(\"m1\"), emoji: [\"👍\"] })",
        ),
        (
            "chat.retract",
            json!({ "with": with, "id": "m1" }),
            "Chat(Retract { with: Jid(bob@example.com), id: MessageId(\"m1\") })",
        ),
        (
            "chat.again",
            json!({ "with": with, "id": "m1" }),
            "Chat(Again { with: Jid(bob@example.com), id: MessageId(\"m1\") })",
        ),
        (
            "chat.draft",
            json!({ "with": with, "text": "Dear" }),
            "Chat(Draft { with: Jid(bob@example.com), text: \"Dear\" })",
        ),
        (
            "chat.alerts",
            json!({ "with": with, "alerts": "mentions" }),
            "Chat(Alerts { with: Jid(bob@example.com), alerts: Mentions })",
        ),
        (
            "chat.encrypt",
            json!({ "with": with, "on": true }),
            "Chat(Encrypt { with: Jid(bob@example.com), on: true })",
        ),
        (
            "chat.trust",
            json!({ "owner": with, "fingerprint": "0af1", "trust": "verified" }),
            "Chat(Trust { owner: Jid(bob@example.com), fingerprint: \"0af1\", trust: Verified })",
        ),
        ("chat.older", json!({ "with": with }), "Chat(Older { with: Jid(bob@example.com) })"),
        ("chat.clear", json!({ "with": with }), "Chat(Clear { with: Jid(bob@example.com) })"),
        (
            "chat.export",
            json!({ "path": "/tmp/all.html" }),
            "Chat(Export { with: None, path: \"/tmp/all.html\" })",
        ),
        (
            "chat.search",
            json!({ "query": "lunch", "with": with }),
            "ChatSearch { query: \"lunch\", with: Some(Jid(bob@example.com)), limit: 50 }",
        ),
    ] {
        served.ok(method, params).await;
        let last = served.host.last().replace(BOB, "Jid(bob@example.com)");
        assert_eq!(last, command, "{method}");
    }
}

#[tokio::test]
async fn the_keys_of_a_conversation_are_told() {
    let served = Served::start().await;
    let keys = served.ok("chat.keys", json!({ "with": "bob@example.com" })).await;
    assert_eq!(keys["on"], false);
    let unknown = served.error("chat.keys", json!({ "with": "nobody@example.com" })).await;
    assert_eq!(unknown["code"], ErrorCode::NoSuchObject as i32);
}

#[tokio::test]
async fn an_export_tells_where_it_lies() {
    let served = Served::start().await;
    let wish = json!({ "with": "bob@example.com", "path": "/tmp/bob.json" });
    let done = served.ok("chat.export", wish).await;
    assert_eq!(done, json!({ "path": "/tmp/bob.json", "messages": 3 }));
}

#[tokio::test]
async fn a_wrong_wish_is_refused_with_what_is_wrong() {
    let served = Served::start().await;
    for (method, params) in [
        ("chat.react", json!({ "with": "bob@example.com", "id": "m1" })),
        ("chat.alerts", json!({ "with": "bob@example.com", "alerts": "loud" })),
        ("chat.reply", json!({ "with": "bob@example.com", "body": "x" })),
        ("chat.clear", json!({})),
    ] {
        let error = served.error(method, params).await;
        assert_eq!(error["code"], ErrorCode::InvalidParams as i32, "{method}");
    }
}
